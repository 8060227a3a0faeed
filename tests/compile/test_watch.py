"""What a recording sees of the program and its surroundings, and what it leaves to kobai and to libraries."""
import os
import sys

import numpy as np
import pytest

import kobai
from kobai.backends import threads
from kobai.compile.trace import recording
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


def _function(source, filename, **names):
    space = {"__name__": "made", **names}
    exec(compile(source, filename, "exec"), space)
    return space["f"]


def test_what_a_library_makes_of_text_while_kobai_uses_it_is_no_reason():
    """cffi and the like run text when they are imported, which kobai does when it first needs them."""
    library = _function("def f(): exec('import time; time.time()', {})", "/lib/site-packages/lib.py")
    own = _function("def f(): library()", kobai.__file__.replace("__init__", "made"), library=library)
    with Watcher() as watcher:
        own()
    assert watcher.reason is None
    with Watcher() as watcher:
        library()
    assert "effects" in watcher.reason


def test_text_that_the_user_runs_is_the_users():
    with Watcher() as watcher:
        exec("import time; time.time()", {})
    assert "effects" in watcher.reason


def test_what_a_module_does_when_it_is_imported_is_not_the_programs(tmp_path, monkeypatch):
    """It happens once, however often the program runs: not at all on a call that finds the module loaded."""
    (tmp_path / "prints_when_imported.py").write_text("import time\nprint(time.time())\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with Watcher() as watcher:
        import prints_when_imported
    assert watcher.reason is None and prints_when_imported
    with Watcher() as watcher:
        try:
            import no_such_module_anywhere  # noqa: F401
        except ImportError:
            print("and on")
    assert watcher.reason.startswith("print()")


def test_nobody_looks_on_while_an_op_computes():
    """Seeing each call inside an op takes longer than the op; what the user's code calls is seen all the same."""
    seen = []

    class Noting(Watcher):
        def _event(self, frame, event, arg):
            seen.append(frame.f_code.co_name)
            return super()._event(frame, event, arg)

    x = kobai.ones(3, requires_grad=True)
    with recording() as recorder, Noting() as watcher:
        recorder.watched = True
        (x.exp() * 2).sum().backward()
        print(end="")
    assert "backward" in seen and "_plain_values" not in seen
    assert watcher.reason.startswith("print()") and sys.getprofile() is None


def test_hooks_on_saved_tensors_are_the_users_though_ops_call_them():
    def pack(t):
        print(end="")
        return t

    x = kobai.ones(3, requires_grad=True)
    with recording() as recorder, Watcher() as watcher:
        recorder.watched = True
        with kobai.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            x.exp()
    assert watcher.reason.startswith("print()")


def test_methods_named_like_functions_of_numpy():
    """`np.log(2.0)` and `x.argmax()` in one function: of the module NumPy both names are looked at."""
    f = kobai.compile(lambda x: x * np.log(2.0) + x.argmax() + x.sum().mean())
    for k in range(5):
        x = kobai.arange(3.0) + k
        assert f(x).tolist() == pytest.approx((x * 0.6931472 + 2 + (3 * k + 3)).tolist())
    assert f.reason is None
