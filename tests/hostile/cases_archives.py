"""Archives and save files whose members or headers claim what is not so."""

from tests.hostile import case
from tests.hostile.case import Case
from tests.hostile.valid import (
    KINDS,
)

HUGE = "(" + "1000000, " * 4 + ")"


CLAIMS = {
    "a huge shape": ("a.npy", case.npy(HUGE)),
    "a shape beyond 64 bits": ("a.npy", case.npy("(2**70,)".replace("2**70", str(2**70)))),
    "a shape beyond 64 bits, and empty": ("a.npy", case.npy(f"({2**70}, 0)")),
    "a product that overflows to 0": ("a.npy", case.npy(f"({2**32}, {2**32})")),
    "a negative shape": ("a.npy", case.npy("(-1,)", data=bytes(8))),
    "two negative dimensions": ("a.npy", case.npy("(-2, -3)", data=bytes(48))),
    "a shape that is no tuple": ("a.npy", case.npy("7", data=bytes(56))),
    "a shape of floats": ("a.npy", case.npy("(2.0,)", data=bytes(16))),
    "more numbers than bytes": ("a.npy", case.npy("(1000,)", data=bytes(8))),
    "fewer numbers than bytes": ("a.npy", case.npy("(1,)", data=bytes(800))),
    "an object array": ("a.npy", case.npy("(1,)", "'|O'", b"\x80\x02N.")),
    "a structured dtype with objects": ("a.npy", case.npy("(1,)", "[('a', '|O')]", bytes(8))),
    "a structured dtype": ("a.npy", case.npy("(1,)", "[('a', '<f8')]", bytes(8))),
    "complex numbers": ("a.npy", case.npy("(1,)", "'<c16'", bytes(16))),
    "dates": ("a.npy", case.npy("(1,)", "'<M8[s]'", bytes(8))),
    "raw bytes": ("a.npy", case.npy("(1,)", "'|V8'", bytes(8))),
    "a dtype that does not exist": ("a.npy", case.npy("(1,)", "'<f3'", bytes(8))),
    "a header that calls a function": ("a.npy", case.npy("__import__('os').getcwd()")),
    "a header nested too deeply": ("a.npy", case.npy("(" * 5000 + ")" * 5000, version=(2, 0))),
    "an unknown npy version": ("a.npy", case.npy("(1,)", data=bytes(8), version=(9, 9))),
    "no npy at all": ("a.npy", b"#!/bin/sh\ntouch CANARY\n"),
    "an empty member": ("a.npy", b""),
    "a path that climbs": ("../../../climbed.npy", case.npy("(1,)", data=bytes(8))),
    "an absolute path": ("/tmp/dgr-hostile-absolute.npy", case.npy("(1,)", data=bytes(8))),
}


READERS = {"save file": "a.npz", "replay batch": "batch.npz"}


def forged_archives():
    for name, place in READERS.items():
        kind = KINDS[name]

        def prepared(change, kind=kind):
            def prepare(folder):
                path = folder / kind.place
                path.write_bytes(change(folder, kind.data()))
                return lambda: kind.read(folder)

            return prepare

        for claim_name, (member, data) in CLAIMS.items():
            yield Case(
                f"{name} with {claim_name}",
                prepared(
                    lambda folder, whole, member=member, data=data: case.zipped(
                        case.members_of(whole) | {member: data}
                    )
                ),
                words=(place,),
            )
        changes = {
            "a malicious object array": lambda folder, whole: case.with_members(
                whole, **{"a.npy": case.malicious_member(folder)}
            ),
            "a malicious pickle beside": lambda folder, whole: case.with_members(
                whole, **{"data.pkl": case.malicious_pickle(folder, 2)}
            ),
            "no header": lambda _, whole: case.zipped(
                {k: v for k, v in case.members_of(whole).items() if k != "header.npy"}
            ),
            "an empty header": lambda _, whole: case.with_members(
                whole, **{"header.npy": case.text_member("")}
            ),
            "a header nested too deeply in JSON": lambda _, whole: case.with_members(
                whole, **{"header.npy": case.text_member("[" * 10**5)}
            ),
            "a header that is a list": lambda _, whole: case.with_members(
                whole, **{"header.npy": case.text_member("[1]")}
            ),
            "a header of invalid text": lambda _, whole: case.with_members(
                whole, **{"header.npy": case.text_member(b"\xff\xfe{")}
            ),
            "a version of the future": lambda _, whole: case.with_header(
                whole,
                lambda header: {
                    **header,
                    "version": 99,
                    "format": "pycog_dgr checkpoint" if "tree" in header else 99,
                },
            ),
            "an array too many": lambda _, whole: case.with_members(
                whole, **{"more.npy": case.npy("(1,)", data=bytes(8))}
            ),
            "an array missing": lambda _, whole: case.zipped(
                dict(list(case.members_of(whole).items())[:-1])
            ),
            "an array of other numbers": lambda _, whole: case.with_members(
                whole, **{list(case.members_of(whole))[-1]: case.npy("(1,)", data=bytes(8))}
            ),
            "no checksum": lambda _, whole: case.with_header(
                whole,
                lambda header: {k: v for k, v in header.items() if k not in ("checksum", "sha256")},
            ),
            "a bomb of zeros": lambda _, whole: case.bomb(whole),
            "an unknown compression": lambda _, whole: _compression(whole, 99),
            "encryption claimed": lambda _, whole: _flagged(whole),
            "nothing in it": lambda *_: case.zipped({}),
            "no zip": lambda *_: b"x" * 100,
            "no byte": lambda *_: b"",
        }
        for change_name, change in changes.items():
            yield Case(f"{name} with {change_name}", prepared(change), words=(place,))


def _compression(whole, method):
    place = whole.index(b"PK\x01\x02")
    return whole[: place + 10] + bytes([method, 0]) + whole[place + 12 :]


def _flagged(whole):
    place = whole.index(b"PK\x01\x02")
    return whole[: place + 8] + b"\x01" + whole[place + 9 :]


CASES = [*forged_archives()]
