"""The small copies of golden fixtures, as the tests read them."""

from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "golden"


def found(kind, folder=GOLDEN):
    """The fixtures in `folder` that a module of tests/golden_kinds reads."""
    return sorted(path for path in folder.iterdir() if kind.reads(path))


def assert_within(comparisons):
    """Every comparison (what, error, tolerance) holds, and there is at least one."""
    counted = 0
    for what, error, tolerance in comparisons:
        counted += 1
        assert error <= tolerance, f"{what}: {error} > {tolerance}"
    assert counted
