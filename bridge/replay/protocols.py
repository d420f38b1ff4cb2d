"""The protocols that `dgr reproduce` knows, by name."""

from bridge.errors import unknown
from bridge.replay.improved import IMPROVED, WITH_GAN
from bridge.replay.protocol import Protocol
from bridge.replay.published import NOTEBOOKS, TEXT

PROTOCOLS = {protocol.name: protocol for protocol in (TEXT, NOTEBOOKS, IMPROVED, WITH_GAN)}


def protocol_named(name: str) -> Protocol:
    """The protocol called `name`; SettingError names the nearest where there is none.

    Parameters
    ----------
    name
        A name in PROTOCOLS.

    Returns
    -------
    Protocol
        As data.
    """
    if name not in PROTOCOLS:
        raise unknown("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]
