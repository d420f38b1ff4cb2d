"""What holds a solver to the contexts that it has learnt, in a file."""

from collections.abc import Sequence
from pathlib import Path

from bridge.errors import ArchiveError
from bridge.files import archive
from bridge.replay import Held

HELD = "dgr penalties"


def save_held(path: Path, held: Sequence[Held]) -> None:
    """Write them, whole or not at all.

    Parameters
    ----------
    path
        The file.
    held
        One a penalty.
    """
    arrays = {
        f"{s}/{part}/{name}": array
        for s, one in enumerate(held)
        for part, values in one._asdict().items()
        for name, array in values.items()
    }
    archive.save(path, HELD, arrays, count=len(held))


def load_held(path: Path) -> list[Held]:
    """What `save_held` wrote.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of Held
        One a penalty.

    Raises
    ------
    ArchiveError
        A file that is damaged or of another kind.
    """
    arrays, metadata = archive.load(path, HELD)
    count = metadata.get("count")
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= len(arrays):
        raise ArchiveError(f"{path}: holds no number of penalties; remove its job's folder")
    held = [Held({}, {}) for _ in range(count)]
    for place, array in arrays.items():
        number, part, name = (*place.split("/", 2), "", "")[:3]
        if not (number.isdecimal() and int(number) < count and part in Held._fields and name):
            raise ArchiveError(
                f"{path}: {place!r} is no part of a penalty; remove its job's folder"
            )
        getattr(held[int(number)], part)[name] = array
    return held
