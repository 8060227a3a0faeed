"""Several threads of a program use kobai at once: what is loaded, counted or exchanged for all of them stays whole."""
import builtins
import importlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import kobai
from kobai import fx, large, later, nn, profiler
from kobai.autograd.mode import runs
from kobai.backends import eager, llvm, object_code, threads

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


@pytest.mark.skipif(not object_code.supported, reason="LLVM loads it here")
def test_the_library_is_there_for_others_once_its_types_are_known(monkeypatch):
    """A thread that called `mmap` meanwhile had the lower half of an address."""
    class Process:
        def __getattr__(self, name):
            assert object_code._process is None, "another thread could use it already"
            return SimpleNamespace()
    monkeypatch.setattr(object_code, "_process", None)
    monkeypatch.setattr(object_code.ctypes, "CDLL", lambda *args, **kwargs: Process())
    assert isinstance(object_code._library(), Process)


@needs_llvm
def test_several_threads_find_that_ops_are_worth_machine_code():
    program = """if True:
        import sys, threading, time
        from kobai.backends import apply
        sys.setswitchinterval(1e-6)
        look = apply._looks_as_known
        def slowly():
            time.sleep(0.05)
            return look()
        apply._looks_as_known = slowly
        workers = [threading.Thread(target=apply.install) for _ in range(4)]
        for t in workers: t.start()
        for t in workers: t.join()
        print(len(apply.natives) in (0, len(apply._WAYS)))
    """
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "True\n"


def test_rules_are_written_once_for_all_threads(often):
    from kobai.ops.elementwise import Mul
    from kobai.rules import compiled_rules
    for _ in range(20):
        Mul._compiled.pop((3, True), None)
        found = []
        together(*[lambda: found.append(compiled_rules(Mul, 3, True))] * 4)
        assert len({id(f) for f in found}) == 1


def test_ops_may_be_imported_while_a_profile_runs():
    """Their signatures are read from the `forward` that they inherit, which is a timed one then."""
    from kobai.op import registry
    from kobai.ops.avgpool import AvgPool2d
    with profiler.profile():
        class Tiles(AvgPool2d):
            pass
    registry.remove(Tiles)
    assert Tiles.inputs == AvgPool2d.inputs == ("x",)


SRC = pathlib.Path(kobai.__file__).parent


def imports(path):
    """The modules that a file of kobai imports from, anywhere in it, by their whole names."""
    package = ["kobai", *path.relative_to(SRC).parts[:-1]]
    for dots, name in re.findall(r"^ *from (\.*)([\w.]*) import", path.read_text(encoding="utf-8"), re.MULTILINE):
        yield ".".join([*package[:len(package) - len(dots) + 1] * bool(dots), *name.split(".")]).strip(".")


def test_packages_are_imported_before_what_is_in_them():
    """Python locks a module, and then its package, while a second thread that has the package waits for the module:
    from outside such a package (one that imports its modules itself, and is not there from the start) one asks the package.
    """
    here = subprocess.run([sys.executable, "-c", "import kobai, sys; print(*sys.modules)"], capture_output=True, text=True,
                          check=True).stdout.split()
    packages = {".".join(["kobai", *p.parent.relative_to(SRC).parts]) for p in SRC.rglob("__init__.py")
                if re.search(r"^from \.", p.read_text(encoding="utf-8"), re.MULTILINE)}
    wrong = []
    for path in SRC.rglob("*.py"):
        found = [*imports(path)] if "playground" not in path.parts else []  # where there are no threads
        for name in found:
            package, _, module = name.rpartition(".")
            inside = name.split(".")[1:2] == [*path.relative_to(SRC).parts[:1]]
            if package in packages and package not in here and package not in found and not inside:
                wrong.append(f"{path.relative_to(SRC)} imports {name}")
    assert {"kobai.nn", "kobai.optim"} <= packages - {*here}
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process")
def test_a_child_imports_a_package_that_another_thread_had_begun(tmp_path, monkeypatch):
    """Only the import of a part makes it an attribute of its package, as pathlib of Python 3.13 needs it."""
    package = tmp_path / "begun_package"
    package.mkdir()
    (package / "part.py").write_text("names = ['a']\n")
    (package / "__init__.py").write_text("import builtins\nfrom begun_package.part import *\nbuiltins.pause()\nfound = part.names\n")
    begun, end = threading.Event(), threading.Event()
    monkeypatch.setattr(builtins, "pause", lambda: (begun.set(), end.wait(30)), raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    other = threading.Thread(target=importlib.import_module, args=("begun_package",))
    other.start()
    assert begun.wait(30)
    child = os.fork()
    if child == 0:
        ok = False
        try:
            signal.alarm(20)
            builtins.pause = lambda: None
            ok = importlib.import_module("begun_package").found == ["a"]
        finally:
            os._exit(0 if ok else 1)
    status = os.waitpid(child, 0)[1]
    end.set()
    other.join()
    for name in ("begun_package", "begun_package.part"):
        sys.modules.pop(name, None)
    assert status == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process")
def test_a_fork_waits_for_what_a_thread_does_in_the_background(monkeypatch):
    """A child would have what the thread had half done, such as the import of a module, for ever."""
    from kobai.backends import ahead
    begun, done = threading.Event(), []

    def work():
        begun.set()
        time.sleep(0.2)
        done.append(True)
    ahead.start(work)
    assert begun.wait(30)
    child = os.fork()
    if child == 0:
        os._exit(0 if done and not ahead._running else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not ahead._running


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process")
def test_a_child_records_though_another_thread_did_as_it_was_forked():
    from kobai import op
    from kobai.amp import policy
    from kobai.compile.trace import recording
    inside, end = threading.Event(), threading.Event()

    def record():
        with recording(), op._lock, policy._lock:
            inside.set()
            end.wait(30)
    other = threading.Thread(target=record)
    other.start()
    assert inside.wait(30)
    child = os.fork()
    if child == 0:
        ok = False
        try:
            signal.alarm(20)
            ok = op._recorders == 0 and op.watched[0] == 0 \
                and all(short.__code__ is code for (short, _), code in zip(op._WAYS, op._SHORT))
            step = kobai.compile(lambda x: (x * 2).sum())
            with kobai.autocast("cpu", dtype=kobai.bfloat16):
                ok = ok and step(kobai.ones(2)).item() == 4
        finally:  # or the child would go on with the other tests
            os._exit(0 if ok else 1)
    status = os.waitpid(child, 0)[1]
    end.set()
    other.join()
    assert status == 0
    assert op._recorders == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_children_forked_while_code_is_compiled_can_use_it_all():
    program = """if True:
        import os, sys, threading, time, warnings
        warnings.simplefilter("ignore")
        sys.setswitchinterval(1e-6)
        import numpy as np, kobai
        import numpy.random  # its C modules, imported half, cannot be imported again in a child
        from kobai import large
        from kobai.autograd import node, repeated
        large.BUDGET.update(dict.fromkeys(large.BUDGET, 1000))
        repeated.PATIENCE = repeated.WAIT = 1
        node.many.below = -20
        def use():
            w = kobai.ones(6000, requires_grad=True)
            for _ in range(4):
                loss = (w.exp() * w).softmax(0).cumsum(0).sum() + kobai.randn(5000).std() + w.reshape(60, 100).t().sum()
                loss = loss + kobai.linalg.norm(w) + kobai.ones(500, 64)[kobai.arange(300)].sum()
                loss.backward()
            assert np.isfinite(w.grad.numpy()).all()
        pause = float(sys.argv[1])
        worker = threading.Thread(target=use)
        worker.start()
        children = []
        for _ in range(2):
            time.sleep(pause)
            pid = os.fork()
            if pid == 0:
                import signal
                signal.alarm(80)
                use()
                os._exit(0)
            children.append(pid)
        worker.join()
        print([os.waitpid(c, 0)[1] for c in children])
    """
    for pause in (0.002, 0.01):
        run = subprocess.run([sys.executable, "-c", program, str(pause)], capture_output=True, text=True,
                             timeout=200)
        assert (run.returncode, run.stdout, run.stderr) == (0, "[0, 0]\n", "")


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


@pytest.mark.parametrize("text", ["²", "-2", "two", ""])
def test_variables_that_are_no_numbers_are_left_out(text, monkeypatch):
    """ "²" is a digit for Python, and no number."""
    from kobai.compile import cache
    monkeypatch.setenv("KOBAI_NUM_THREADS", text)
    monkeypatch.setenv("KOBAI_CACHE_SIZE", text)
    assert threads.cores() >= 1
    assert cache._limit() == cache.LIMIT << 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process")
def test_a_child_waits_for_no_cached_property_that_another_thread_was_computing():
    program = """if True:
        import os, signal, threading, warnings
        warnings.simplefilter("ignore")
        import kobai
        from kobai.generator import Generator
        inside, end = threading.Event(), threading.Event()
        class Slow(Generator):
            def _start(self):
                if threading.current_thread() is not threading.main_thread():
                    inside.set()
                    end.wait(30)
                super()._start()
        slow = threading.Thread(target=lambda: Slow()._bits)
        slow.start()
        inside.wait(30)
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            ok = kobai.randn(20, generator=kobai.Generator()).isfinite().all()
            os._exit(0 if ok else 1)
        status = os.waitpid(child, 0)[1]
        end.set()
        slow.join()
        print(status)
    """
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100)
    assert (run.returncode, run.stdout, run.stderr) == (0, "0\n", "")
