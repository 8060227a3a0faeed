"""Memory of large results is used again: by which arrays, how much is kept, and what NumPy may do with it."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from kobai.backends import eager, llvm
from kobai.ops.elementwise import Neg

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
MB = 1 << 18  # float32 numbers in a megabyte


@pytest.fixture
def blocks():
    found = llvm.bridge().blocks
    before = found.limit
    found.limit = 20 << 20
    yield found
    found.limit = before


def made(n):
    return eager.forward(Neg(), (np.ones(n, "f4"),))


def address(a):
    return a.__array_interface__["data"][0]


def test_the_next_result_of_that_size_gets_the_memory(blocks):
    y = made(MB)
    first = address(y)
    other = made(MB)
    assert address(other) != first
    del y
    assert blocks.kept == 4 * MB
    assert address(made(MB)) == first
    again = made(MB - 1000)  # a little less will do
    assert address(again) == first
    assert address(made(MB // 2)) != first


def test_what_is_kept_is_bounded_and_the_oldest_goes(blocks):
    arrays = [made(4 * MB) for _ in range(8)]
    addresses = [address(a) for a in arrays]
    while arrays:
        del arrays[0]
    assert blocks.kept == 20 << 20
    assert address(made(4 * MB)) == addresses[-1]
    made(9 * MB)  # more than may be kept at all
    assert blocks.kept <= 20 << 20
    blocks.drop()
    assert blocks.kept == 0


def test_many_small_blocks(blocks):
    arrays = [made(MB // 8 + 2048 * i) for i in range(80)]
    del arrays
    assert 0 < blocks.kept <= 20 << 20


def test_views_keep_the_memory(blocks):
    view = made(MB)[5:]
    assert blocks.kept == 0
    other = made(MB)
    other += 5
    assert (view == -1).all()


def test_results_can_be_resized_and_pickled(blocks):
    y = made(MB)
    y.resize(10, refcheck=False)
    assert y.tolist() == [-1] * 10
    y.resize(2 * MB, refcheck=False)
    assert y[:10].tolist() == [-1] * 10 and not y[10:].any()
    assert np.array_equal(np.copy(y), y)
    assert y.flags.owndata


def test_arrays_of_others_are_not_touched(blocks):
    assert np._core.multiarray.get_handler_name(np.empty(MB)) == "default_allocator"
    assert np._core.multiarray.get_handler_name(made(MB)) == "kobai"


def test_results_of_compiled_programs_use_blocks(blocks):
    from kobai.backends.eager import backward_of
    from kobai.ops.normalize import NativeLayerNorm

    x, g, w = np.ones((1000, 300), "f4"), np.ones((1000, 300), "f4"), np.ones(300, "f4")
    run = backward_of(NativeLayerNorm(1e-5, (-1,)), 7, ("x", "weight"), (g, x, w))
    g_x, g_w, _ = run(g, x, w)
    name = np._core.multiarray.get_handler_name
    assert (name(g_x), name(g_w)) == ("kobai", "default_allocator")
    assert name(np.empty(MB)) == "default_allocator"
    first = address(g_x)
    del g_x
    assert address(run(g, x, w)[0]) == first


def test_threads_do_not_get_the_same_block(blocks):
    wrong = []

    def work(value):
        x = np.full(MB // 2, value, "f4")
        for _ in range(200):
            y = eager.forward(Neg(), (x,))
            if not (y[::1000] == -value).all():
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_arrays_that_outlive_all_modules():
    code = """if True:
        import sys, numpy as np
        from kobai.backends import eager
        from kobai.ops.elementwise import Neg
        class Last:
            def __init__(self, a): self.a = a
            def __del__(self): self.a = None
        sys.last = Last(eager.forward(Neg(), (np.ones(1_000_000, "f4"),)))
        kept = [eager.forward(Neg(), (np.ones(1_000_000, "f4"),)) for _ in range(3)]
    """
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
