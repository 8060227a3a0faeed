"""Kernels of a plan compiled by two threads: the same code, whoever made it, and nobody waits for what never comes."""
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from kobai.backends import ahead, llvm
from kobai.compile.builder import Builder
from kobai.compile.lower import Layout

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs machine code")


def kernel(number):
    k = Builder("ahead")
    return k.finish(k.exp(k.operand("f32", "x") * (1 + number)) + number)


FLAT = Layout(("1", "1"), 1, 0)


def test_several_threads_get_one_code_and_the_right_one(monkeypatch):
    monkeypatch.setenv("KOBAI_CACHE", "0")
    kernels = [kernel(1000 + i) for i in range(6)]
    start, found = threading.Barrier(4), [{} for _ in range(4)]

    def work(mine, order):
        start.wait()
        for i in order:
            mine[i] = llvm.compiled(kernels[i], FLAT)
    orders = [range(6), range(5, -1, -1), range(6), [3, 1, 5, 0, 2, 4]]
    workers = [threading.Thread(target=work, args=pair) for pair in zip(found, orders)]
    for t in workers:
        t.start()
    for t in workers:
        t.join()
    x = np.linspace(-1, 0, 37, dtype="f4")
    for i, k in enumerate(kernels):
        assert len({id(mine[i]) for mine in found}) == 1
        np.testing.assert_allclose(llvm.run(k, x)[0], np.exp(x * (1001 + i)) + 1000 + i, rtol=1e-4)


def test_another_thread_begins_with_the_first_and_then_comes_from_the_last(monkeypatch):
    monkeypatch.setattr(ahead.threads, "cores", lambda: 2)
    done, go = [], [threading.Event() for _ in range(6)]

    def work(i):
        go[i].wait()
        done.append(i)
    with ahead.doing() as block:
        for i in range(6):
            block.add(lambda i=i: work(i))
            assert (block.thread is None) == (i < ahead.LEAST - 1)
        go[0].set()
        while not done:
            pass
        block.turn()
        for event in go[::-1]:
            event.set()
        while len(done) < 6:
            pass
        block.add(lambda: done.append("more"))
        while len(done) < 7:
            pass
    block.thread.join()
    assert done == [0, 1, 5, 4, 3, 2, "more"]


def test_few_works_and_one_core_need_no_thread(monkeypatch):
    monkeypatch.setattr(ahead.threads, "cores", lambda: 1)
    with ahead.doing() as block:
        for _ in range(9):
            block.add(lambda: 1 / 0)
    assert block.thread is None


def test_errors_of_the_other_thread_are_left_to_the_block(monkeypatch):
    monkeypatch.setattr(ahead.threads, "cores", lambda: 2)
    done = threading.Event()
    with ahead.doing() as block:
        for work in [lambda: 1 / 0] * ahead.LEAST + [done.set]:
            block.add(work)
        assert done.wait(20)
    block.thread.join()


@pytest.mark.parametrize("cores", [1, 2])
def test_a_plan_is_the_same_made_by_one_thread_or_two(cores):
    program = f"""if True:
        import kobai
        from kobai.backends import threads
        threads.cores = lambda: {cores}
        kobai.manual_seed(0)
        model = kobai.nn.Sequential(*[m for n in (5, 7, 11, 13) for m in (kobai.nn.Linear(6, 6), kobai.nn.GELU(),
                                      kobai.nn.LayerNorm(6))])
        opt = kobai.optim.AdamW(model.parameters())
        @kobai.compile
        def step(x):
            opt.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            opt.step()
            return loss
        x = kobai.randn(31, 6)
        print([step(x).item().hex() for _ in range(5)], step.reason)
    """
    run = subprocess.run([sys.executable, "-c", program], env={**os.environ, "KOBAI_CACHE": "0"}, check=True, text=True,
                         capture_output=True)
    assert run.stdout.endswith("None\n")
    RESULTS.add(run.stdout)
    assert len(RESULTS) == 1


RESULTS: set = set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_compiles_though_threads_of_the_parent_did():
    program = """if True:
        import os, threading, warnings
        warnings.simplefilter("ignore")
        import numpy as np
        from kobai.backends import llvm
        from test_ahead import FLAT, kernel
        stop = False
        def work(n):
            while not stop:
                n += 1
                llvm.compiled(kernel(n), FLAT)
        workers = [threading.Thread(target=work, args=(n,)) for n in (5000, 9000)]
        for t in workers: t.start()
        for i in range(12):
            pid = os.fork()
            if pid == 0:
                llvm.compiled(kernel(20000 + i), FLAT)
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
        stop = True
        for t in workers: t.join()
    """
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "KOBAI_CACHE": "0"}, check=True, timeout=100,
                   cwd=os.path.dirname(__file__))
