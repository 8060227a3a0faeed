"""A test of processes that hangs must fail, not block the whole run."""

import signal

import pytest


@pytest.fixture(autouse=True)
def alarm():
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def ring(number, frame):
        raise TimeoutError("this test hangs")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
