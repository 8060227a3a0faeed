"""The pool of threads: the same bits for any number of threads, forks, exits, several callers, idleness."""

import ctypes
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import kobai
from kobai.backends import eager, llvm, threads
from kobai.op import registry

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
OP = {cls.__name__: cls for cls in registry}
RNG = np.random.default_rng(0)
X = RNG.standard_normal((700, 331)).astype("f4")
LONG = RNG.standard_normal(700_001).astype("f4")


CASES = {
    "elementwise": (lambda: OP["Exp"](), X),
    "strided": (lambda: OP["Exp"](), X[:, ::2]),
    "transposed": (lambda: OP["Exp"](), X[::2].T),
    "rows": (lambda: OP["Sum"]((1,), False), X),
    "columns": (lambda: OP["Sum"]((0,), False), X),
    "one long row": (lambda: OP["Sum"]((0,), False), LONG),
    "all": (lambda: OP["Sum"]((0, 1), False), X),
    "all, strided": (lambda: OP["Sum"]((0, 1), False), X[::2, 1:]),
    "softmax": (lambda: OP["Softmax"](1), X),
    "softmax over columns": (lambda: OP["Softmax"](0), X),
    "softmax of one row": (lambda: OP["Softmax"](0), LONG),
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_bits_for_any_number_of_threads(case, pool):
    op, x = CASES[case]
    results = []
    for count in (1, 2, 3, 8):
        pool.resize(count)
        results += [eager.forward(op(), (x,)) for _ in range(5)]
    for r in results[1:]:
        assert np.array_equal(r, results[0])
    np.testing.assert_allclose(results[0], op().forward(x), rtol=2e-4, atol=1e-3)


def test_all_the_ways_of_running_a_long_sum_agree(pool):
    """ctypes, and the native callable with its chunks shared out, add up in the same order."""
    op = OP["Sum"]((0,), False)
    kernel = eager.kernel_of(op, [LONG.dtype])
    pool.resize(3)
    assert llvm.run(kernel, LONG)[0].item() == eager.forward(op, (LONG,))


def test_several_python_threads_at_once(pool):
    pool.resize(3)
    expected = eager.forward(OP["Exp"](), (LONG,))
    wrong = []

    def work():
        for _ in range(30):
            if not np.array_equal(eager.forward(OP["Exp"](), (LONG,)), expected):
                wrong.append(threading.current_thread().name)

    callers = [threading.Thread(target=work) for _ in range(4)]
    for c in callers:
        c.start()
    for c in callers:
        c.join()
    assert not wrong


def test_resizing_over_and_over(pool):
    for count in (2, 1, 4, 3, 1, 2) * 5:
        pool.resize(count)
        assert pool.size == count
    eager.forward(OP["Exp"](), (LONG,))


def test_idle_workers_sleep(pool):
    pool.resize(3)
    eager.forward(OP["Exp"](), (LONG,))
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.1


def test_a_caller_sleeps_while_it_waits_for_a_late_worker(pool):
    """So that a worker whose core another process took can go on at the caller's core."""
    signature = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    parallel = ctypes.CFUNCTYPE(None, signature, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(llvm.bridge().parallel)
    caller, late, done = threading.get_ident(), threading.Event(), []

    @signature
    def chunk(block, begin, end):
        if threading.get_ident() == caller:
            late.wait(5)  # until a worker has taken a chunk
        else:
            late.set()
            time.sleep(0.5)
        done.append(begin)

    pool.resize(2)
    before = time.thread_time()
    parallel(chunk, None, 4, 1)
    assert sorted(done) == [0, 1, 2, 3]
    assert late.is_set()
    if sys.platform == "linux":
        assert time.thread_time() - before < 0.02


@pytest.mark.parametrize("n, grain", [(7, 2), (1000, 3), (65535, 1), (65536, 1), (1_000_003, 2)])
def test_each_position_is_computed_once_by_the_caller_upwards_and_a_worker_downwards(n, grain, pool):
    """Also where there are more chunks than a ticket counts: then they are larger, at multiples of the grain."""
    pool.resize(2)
    signature = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    parallel = ctypes.CFUNCTYPE(None, signature, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(llvm.bridge().parallel)
    taken = []
    caller = threading.get_ident()

    @signature
    def chunk(block, begin, end):
        taken.append((begin, end, threading.get_ident() == caller))

    for _ in range(3):
        taken.clear()
        parallel(chunk, None, n, grain)
        mine, theirs = [[t[:2] for t in taken if t[2] == who] for who in (True, False)]
        assert mine == sorted(mine) and theirs == sorted(theirs, reverse=True)
        assert all(begin % grain == 0 for begin, _, _ in taken)
        borders = sorted(t[:2] for t in taken)
        assert [begin for begin, _ in borders] == [0, *[end for _, end in borders[:-1]]] and borders[-1][1] == n


def test_many_small_jobs(pool):
    """Publishing, sleeping and waking race with each other here if they race anywhere."""
    pool.resize(4)
    x = LONG[:40_000]
    expected = eager.forward(OP["Exp"](), (x,))
    for i in range(3000):
        if i % 50 == 0:
            time.sleep(0.0005)  # let them fall asleep now and then
        assert eager.forward(OP["Exp"](), (x,))[-1] == expected[-1]


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


_START = """if True:
    import os, sys, numpy as np, kobai
    from kobai.backends import eager, llvm
    op = next(c for c in kobai.op.registry if c.__name__ == "Exp")()
    x = np.ones(500_000, "f4")
    pool = llvm.bridge().pool
    pool.resize(3)
    y = eager.forward(op, (x,))
"""


def test_the_interpreter_exits_with_workers_alive():
    done = python(_START + "    print('end')")
    assert (done.returncode, done.stdout) == (0, "end\n"), done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_computes_alone_and_can_start_workers():
    done = python(
        _START
        + """    child = os.fork()
    if child == 0:
        ok = pool.size == 1 and np.array_equal(eager.forward(op, (x,)), y)
        pool.resize(2)
        ok = ok and np.array_equal(eager.forward(op, (x,)), y)
        pool.resize(1)
        os._exit(0 if ok else 1)
    _, status = os.waitpid(child, 0)
    print(status, pool.size, np.array_equal(eager.forward(op, (x,)), y))
"""
    )
    assert (done.returncode, done.stdout) == (0, "0 3 True\n"), done.stderr


def test_the_number_of_threads_can_be_given():
    done = python("from kobai.backends.threads import cores; print(cores())", KOBAI_NUM_THREADS="5")
    assert done.stdout == "5\n"
    assert threads.cores() >= 1


def test_set_num_threads():
    before = threads.get_num_threads()
    threads.set_num_threads(2)
    assert threads.get_num_threads() == 2 == llvm.bridge().pool.size
    threads.set_num_threads(before)
    with pytest.raises(RuntimeError, match="set_num_threads expects a positive integer"):
        threads.set_num_threads(0)
    with pytest.raises(TypeError, match="set_num_threads expects an int, but got float"):
        threads.set_num_threads(2.0)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs")
def test_workers_keep_off_the_callers_cpu_and_come_to_it_while_it_sleeps(pool):
    """Schedulers may wake both on one CPU and leave them there, although the other is idle."""
    signature = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    parallel = ctypes.CFUNCTYPE(None, signature, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(llvm.bridge().parallel)
    caller, late, allowed, seen = threading.get_ident(), threading.Event(), os.sched_getaffinity(0), []

    @signature
    def chunk(block, begin, end):
        if threading.get_ident() == caller:
            late.wait(5)  # until a worker has taken a chunk
        else:
            seen.append(os.sched_getaffinity(0))
            late.set()
            time.sleep(0.3)
            seen.append(os.sched_getaffinity(0))

    pool.resize(2)
    for _ in range(3):
        parallel(chunk, None, 2, 1)
        begun, ended = seen
        assert len(begun) == len(allowed) - 1
        assert ended == allowed == os.sched_getaffinity(0)
        seen.clear()
        late.clear()


def test_kernels_after_shared_steps_are_shared_in_smaller_chunks():
    """What threads have made lies in their caches: the next kernel goes on there."""
    def chunks(f, *args):
        f = kobai.compile(f)
        for _ in range(4):
            y = f(*args)
        assert f.reason is None
        return y, [-(-extent // grain) if grain > 0 else 1 for _, _, extent, grain in f._last.plan.program.table.tolist()]

    before = kobai.get_num_threads()
    a, b = kobai.randn(128, 300), kobai.randn(300, 128)
    try:
        kobai.set_num_threads(2)
        y, (product, kernel) = chunks(lambda a, b: (a @ b).abs() + 2, a, b)
        assert product > 1 and kernel == 2
        assert chunks(lambda a: a[:, :128].abs() + 2, a)[1] == [1]
        kobai.set_num_threads(1)
        assert np.array_equal(chunks(lambda a, b: (a @ b).abs() + 2, a, b)[0].numpy(), y.numpy())
    finally:
        kobai.set_num_threads(before)
