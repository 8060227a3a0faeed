"""Several threads of a program use kobai at once: what is loaded, counted or exchanged for all of them stays whole."""
import os
import subprocess
import sys
import threading
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import kobai
from kobai import fx, large, later, nn, profiler
from kobai.autograd.mode import runs
from kobai.backends import eager, llvm, threads

needs_llvm = pytest.mark.skipif(not llvm.available, reason="needs machine code")


@pytest.fixture
def often():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(*works):
    """Run functions at once, each in a thread of its own; raise what one of them raised."""
    gate, failures = threading.Barrier(len(works)), []

    def run(work):
        gate.wait()
        try:
            work()
        except BaseException as e:
            failures.append(e)
    workers = [threading.Thread(target=run, args=(w,)) for w in works]
    for t in workers:
        t.start()
    for t in workers:
        t.join()
    if failures:
        raise failures[0]


def half_imported(name):
    """A module as it is in sys.modules while another thread still imports it."""
    module = ModuleType(name)
    module.__spec__ = SimpleNamespace(name=name, _initializing=True, parent=name.rpartition(".")[0])
    return module


@pytest.mark.parametrize("name", ["kobai.amp.policy", "kobai.nn.hooks", "kobai.nn.parameter", "kobai.backends.llvm"])
def test_a_module_that_another_thread_imports_is_not_used_yet(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, half_imported(name))
    assert later.loaded(name) is None
    step = kobai.compile(lambda x: (x * 2).sum())
    assert [step(kobai.ones(3)).item() for _ in range(4)] == [6.0] * 4
    if llvm.available:
        from kobai.backends import apply
        from kobai.compile import pages
        apply._know_types()
        pages.trim()


def test_what_is_imported_is_loaded():
    assert later.loaded("kobai.later") is later
    assert later.loaded("kobai.no_such_module") is None


def test_seeding_while_another_thread_begins_to_use_ops(often):
    """`manual_seed` starts the counts of all ops anew, and goes through them."""
    over = threading.Event()

    def begin():
        while not over.is_set():
            large.Use(1)

    def seed():
        try:
            for _ in range(300):
                large._start_anew()
        finally:
            over.set()
    together(begin, begin, seed)
    assert large._seeded == runs.seeded


def test_each_thread_finds_its_own_calls_in_its_profile(often):
    def work():
        for _ in range(40):
            with profiler.profile() as found:
                kobai.ones(3).exp()
            assert "aten::exp" in [e.key for e in found.key_averages()]
    together(work, work, work)
    assert not profiler._clock.running and not profiler._clock.replaced


def test_tracing_a_module_is_seen_by_no_other_thread():
    as_always, inside, end = nn.Module.__call__, threading.Event(), threading.Event()

    class Waits(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x):
            inside.set()
            assert end.wait(30)
            return self.layer(x)

    found = []
    first = threading.Thread(target=lambda: found.append(fx.symbolic_trace(Waits())))
    first.start()
    assert inside.wait(30)
    other = nn.Linear(2, 3)
    assert other(kobai.ones(1, 2)).shape == (1, 3)
    second = fx.Tracer()
    kept = second.trace(lambda x: (end.set(), first.join(), x + 1)[2])  # begins second and ends last
    assert [n.op for n in kept.nodes] == ["placeholder", "call_function", "output"]
    assert [n.op for n in found[0].graph.nodes] == ["placeholder", "call_module", "output"]
    assert nn.Module.__call__ is as_always
    assert other(kobai.ones(1, 2)).shape == (1, 3)


def test_rules_are_written_once_for_all_threads(often):
    from kobai.ops.elementwise import Mul
    from kobai.rules import compiled_rules
    for _ in range(20):
        Mul._compiled.pop((3, True), None)
        found = []
        together(*[lambda: found.append(compiled_rules(Mul, 3, True))] * 4)
        assert len({id(f) for f in found}) == 1


@needs_llvm
def test_where_no_thread_can_be_started_this_one_compiles(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")
    monkeypatch.setattr(threading.Thread, "start", refuse)
    from kobai.ops.exponential import Exp
    job = eager.begin(eager.forward_of, Exp(), (np.ones(7, "f4"),))
    np.testing.assert_allclose(job()(np.ones(7, "f4")), np.exp(np.ones(7, "f4")), rtol=1e-6)


@needs_llvm
def test_a_pool_is_as_large_as_threads_can_be_started(monkeypatch):
    pool, start, left = llvm.bridge().pool, threading.Thread.start, [2]
    before = pool.size

    def refuse(thread):
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        start(thread)
    pool.resize(1)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    try:
        pool.resize(9)
        assert pool.size == 3
        x = np.linspace(0, 1, 300_001, dtype="f4")
        from kobai.ops.exponential import Exp
        np.testing.assert_allclose(eager.forward(Exp(), (x,)), np.exp(x), rtol=1e-6)
    finally:
        monkeypatch.undo()
        pool.resize(before)
    assert threads.get_num_threads() >= 1


@pytest.mark.parametrize("seed", [1, 2])
def test_everything_at_once(seed):
    """Threads train, compile, transform, trace and load in a process that compiles in the background from the start."""
    program = os.path.join(os.path.dirname(__file__), "threads_at_once.py")
    run = subprocess.run([sys.executable, "-W", "error", program, str(seed)], capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stdout) == (0, "fine\n"), run.stdout + run.stderr
