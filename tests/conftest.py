"""What every test starts from."""

import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def interrupts_arrive() -> None:
    """Have SIGINT act as at a terminal: a shell starts jobs in the background with it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
