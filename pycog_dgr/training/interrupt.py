"""Signals that ask for an end: Ctrl-C, a cluster's TERM, a terminal that goes away (HUP).

The first one lets the present iteration end, after which everything is saved; a second one stops at
once. A signal that the process was told to ignore (nohup, a shell's background job) stays ignored.
"""

import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from types import FrameType

logger = logging.getLogger(__name__)

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)


def heeded_signals() -> list[int]:
    """The signals that ask for an end, without those that this process was told to ignore.

    Returns
    -------
    list of int
        Of SIGINT, SIGTERM, SIGHUP and, on Windows, SIGBREAK.
    """
    return [n for n in SIGNALS if signal.getsignal(n) not in (signal.SIG_IGN, None)]


@contextlib.contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that SIGINT, SIGTERM and SIGHUP set instead of ending the process.

    A second signal raises KeyboardInterrupt. In other threads than the main one, where signals
    cannot be caught, the event is never set.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()
        name = signal.Signals(number).name
        logger.warning("%s: saving after this iteration (once more to stop at once)", name)

    before = {number: signal.signal(number, handle) for number in heeded_signals()}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
