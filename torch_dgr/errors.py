"""The one family of errors that torch_dgr raises on bad input, and how a value stands in one."""

import reprlib

__all__ = [
    "ExamplesError",
    "SettingError",
    "StateError",
    "TorchDgrError",
    "TrainingDivergedError",
    "shown",
]


class TorchDgrError(ValueError):
    """Bad input to torch_dgr; the message names the value, what was expected and the remedy."""


class SettingError(TorchDgrError):
    """A setting has the wrong type, range or name."""


class ExamplesError(TorchDgrError):
    """Images, targets, weights or a batch have the wrong shape or forbidden values."""


class StateError(TorchDgrError):
    """Saved values do not fit the network they are loaded into."""


class TrainingDivergedError(TorchDgrError):
    """A loss is no longer finite; the parameters are those before the offending update."""


LONGEST = 120  # letters of a value in a message


def shown(value: object) -> str:
    """Return the text of a value in a message, cut where it is long.

    Parameters
    ----------
    value
        Anything that was given.

    Returns
    -------
    str
        Of at most LONGEST letters.
    """
    text = reprlib.repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
