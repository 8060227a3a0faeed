"""What a recording sees of the environment: the user's reads of it, not those of kobai itself."""
import os

from kobai.backends import threads
from kobai.compile.watch import Watcher


def test_the_users_reads_of_the_environment_stop_a_recording():
    with Watcher() as watcher:
        os.environ.get("HOME")
    assert watcher.reason == "os.environ may change"


def test_reads_by_kobai_do_not():
    """An op that goes over to machine code while it is recorded asks for the number of threads, or the cache."""
    with Watcher() as watcher:
        threads.cores()
    assert watcher.reason is None
