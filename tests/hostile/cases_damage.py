"""Every kind of file, damaged at random places."""

import numpy as np

from tests.hostile import case
from tests.hostile.case import Case
from tests.hostile.valid import (
    KINDS,
)

DAMAGES = {
    case.truncated: 4,
    case.one_bit_flipped: 6,
    case.one_byte_replaced: 2,
    case.a_piece_lost: 1,
    case.a_piece_zeroed: 1,
}


def damaged():
    """Every kind of file, damaged at random places."""
    for number, (name, kind) in enumerate(KINDS.items()):
        for damage, times in DAMAGES.items():
            for i in range(times):

                def prepare(folder, kind=kind, damage=damage, seed=(number, i)):
                    kind.beside(folder)
                    path = folder / kind.place
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(damage(kind.data(), np.random.default_rng(seed)))
                    return lambda: kind.read(folder)

                words = () if not kind.checksummed else (kind.place.split("/")[-1],)
                yield Case(
                    f"{name}, {damage.__name__.replace('_', ' ')} {i}",
                    prepare,
                    words=words,
                    may_pass=not kind.checksummed,
                )


CASES = [*damaged()]
