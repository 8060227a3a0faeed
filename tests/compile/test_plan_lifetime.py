"""What a plan's native function needs lives as long as the function."""
import gc
import weakref

import numpy as np
import pytest

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
