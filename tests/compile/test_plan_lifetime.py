"""What a plan's native function needs lives as long as the function, and is one thread's at a time."""
import gc
import os
import threading
import time
import weakref

import numpy as np
import pytest

import kobai
from kobai.backends import llvm
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.plan import plan
from kobai.ops.elementwise import Neg

pytestmark = pytest.mark.skipif(not llvm.available, reason="without llvmlite plans have no native function")


def _negation(n):
    x = Value((n,), "f4")
    y = Node(Neg(), [x], [((n,), x.dtype)]).outs[0]
    return Graph([x], [y.node], [y])


def test_plans_made_by_several_threads_do_not_share_what_one_of_them_drops(monkeypatch):
    """Two threads once made the runner at the same time; functions of the first pointed into freed memory."""
    from kobai.backends import step
    first = plan(_negation(3))
    monkeypatch.setattr(step, "_runner", None)  # as if another thread had not seen it yet
    runner = weakref.ref(first.program.runner)
    second = plan(_negation(4))
    gc.collect()
    assert runner() is not None and first.program.runner is not second.program.runner
    assert first([np.ones(3, "f4")])[0].tolist() == [-1, -1, -1]
    assert second([np.ones(4, "f4")])[0].tolist() == [-1, -1, -1, -1]


def test_the_function_of_a_plan_that_is_gone_still_runs():
    """It once ran on memory that had been freed."""
    made = plan(_negation(2000))
    run, arena = made.run, weakref.ref(made.program.block.base)
    del made
    gc.collect()
    assert arena() is not None
    assert run(np.ones(2000, "f4"))[0].tolist() == [-1] * 2000
    del run
    assert arena() is None, "and without it the memory is given back at once"


def test_a_thread_waits_while_another_runs_the_plan():
    """It once had NumPy compute the whole graph instead: other bits, now and then."""
    made, results = plan(_negation(3)), []
    made.program.busy[0] = threading.get_ident() + 1
    other = threading.Thread(target=lambda: results.append(made.run(np.ones(3, "f4"))))
    other.start()
    time.sleep(0.05)
    assert not results
    made.program.busy[0] = 0
    other.join()
    assert results[0][0].tolist() == [-1, -1, -1]
    made.program.busy[0] = threading.get_ident()
    assert made.run(np.ones(3, "f4")) is None, "who waits for itself waits for ever"
    assert made([np.ones(3, "f4")])[0].tolist() == [-1, -1, -1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_waits_for_no_thread_of_its_parent():
    made, compiled = plan(_negation(3)), kobai.compile(lambda x: x + 1)
    made.program.busy[0] = threading.get_ident() + 1
    inside, leave = threading.Event(), threading.Event()

    def stay():
        with compiled._lock:
            inside.set()
            leave.wait()
    other = threading.Thread(target=stay)
    other.start()
    inside.wait()
    child = os.fork()
    if child == 0:
        right = made.run(np.ones(3, "f4"))[0].tolist() == [-1, -1, -1] and compiled(kobai.ones(2)).tolist() == [2, 2]
        os._exit(int(not right))
    leave.set()
    other.join()
    for _ in range(100):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.05)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        pytest.fail("the child waits")
    assert status == 0
