"""What every test starts from."""

import signal

import hypothesis
import pytest

from pycog_dgr.training.interrupt import SIGNALS

# No test writes into the checkout; a failure prints what makes it again.
hypothesis.settings.register_profile("nothing kept", database=None)
hypothesis.settings.load_profile("nothing kept")


@pytest.fixture(scope="session", autouse=True)
def signals_arrive() -> None:
    """Have signals act as at a terminal: a shell's background job ignores SIGINT, nohup SIGHUP."""
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            interrupt = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if interrupt else signal.SIG_DFL)
