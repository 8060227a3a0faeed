"""The cache of machine code: several processes, damage, size, folders that cannot be written."""

import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import pytest

from kobai.backends import llvm, object_code
from kobai.compile import cache
from kobai.compile.builder import build
from kobai.compile.cache import Store, digest

needs_llvm = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
POSIX = pytest.mark.skipif(os.name != "posix", reason="needs permissions")


def key(i):
    return digest("entry", i)


def test_what_was_stored_is_found(tmp_path):
    Store(tmp_path / "a" / "b").put(key(1), b"code")
    assert Store(tmp_path / "a" / "b").get(key(1)) == b"code"
    assert Store(tmp_path / "a" / "b").get(key(2)) is None


def test_digest_tells_parts_apart():
    assert digest("a", "bc") != digest("ab", "c")
    assert digest(b"a") == digest("a")


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "head", "other key"])
def test_a_damaged_entry_is_made_again(tmp_path, damage, monkeypatch):
    monkeypatch.setenv("KOBAI_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("KOBAI_CACHE", "1")
    whole = os.urandom(3000)
    assert cache.remembered(key(1), lambda: whole) == whole
    path, entry = tmp_path / key(1), (tmp_path / key(1)).read_bytes()
    if damage == "other key":
        cache.remembered(key(2), lambda: b"other")
        os.replace(tmp_path / key(2), path)
    else:
        path.write_bytes({"flip": entry[:-5] + bytes([entry[-5] ^ 1]) + entry[-4:], "truncate": entry[:-1],
                          "empty": b"", "head": b"x" + entry[1:]}[damage])
    assert cache.store().get(key(1)) is None
    assert cache.remembered(key(1), lambda: whole) == whole
    assert path.read_bytes() == entry


def test_the_longest_unused_go_first(tmp_path):
    store = Store(tmp_path, limit=10_000)
    for i in range(9):
        store.put(key(i), bytes(1000))
        os.utime(tmp_path / key(i), (1e9 + i, 1e9 + i))
    assert store.get(key(0)) is not None  # used: now the youngest
    store.put(key(9), bytes(1000))
    store.trim()
    left = {i for i in range(10) if (tmp_path / key(i)).exists()}
    assert {0, 9} <= left and 1 not in left and 2 not in left
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) <= 10_000


def test_it_never_grows_far_beyond_its_limit(tmp_path):
    for _ in range(4):  # processes
        store = Store(tmp_path, limit=100_000)
        for _ in range(100):
            store.put(digest(os.urandom(8)), bytes(2000))
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) <= 100_000 * 9 / 8 + 3000


def test_what_a_killed_writer_left_is_removed(tmp_path):
    old = tmp_path / "abc.part"
    old.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    new = tmp_path / "def.part"
    new.write_bytes(b"half")
    Store(tmp_path).trim()
    assert not old.exists() and new.exists()


@POSIX
def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    store = Store(tmp_path / "file" / "folder")
    store.put(key(1), b"code")
    assert store.get(key(1)) is None
    readonly = tmp_path / "readonly"
    Store(readonly).put(key(1), b"code")
    readonly.chmod(0o500)
    try:
        store = Store(readonly)

        def full(*args, **kwargs):  # the administrator may write everywhere, but not on a full disk
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(tempfile, "mkstemp", full)
        store.put(key(2), b"code")
        assert store.get(key(1)) == b"code" and store.get(key(2)) is None and not store.writable
    finally:
        readonly.chmod(0o700)


@POSIX
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_in_the_place_of_an_entry_is_not_waited_for(tmp_path):
    store, key = Store(tmp_path), digest("pipe")
    os.mkfifo(tmp_path / key)
    assert store.get(key) is None
    store.put(key, b"contents")
    assert store.get(key) == b"contents"


def test_a_full_disk_is_no_error_and_leaves_nothing_behind(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.put(digest(1), b"one")

    def full(*args):
        raise OSError(28, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        store.put(digest(2), b"two")
    assert os.listdir(tmp_path) == [digest(1)]
    assert store.get(digest(1)) == b"one" and store.get(digest(2)) is None


def test_an_interrupt_stays_one_where_the_folder_is_gone(tmp_path, monkeypatch):
    store = Store(tmp_path / "folder")
    store.put(digest(1), b"one")

    def interrupted(*args):
        shutil.rmtree(tmp_path / "folder")
        raise KeyboardInterrupt
    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.put(digest(2), b"two")


def test_code_that_others_could_have_written_is_not_used(tmp_path):
    tmp_path.chmod(0o777)
    store = Store(tmp_path)
    store.put(key(1), b"code")
    assert store.get(key(1)) is None
    tmp_path.chmod(0o700)
    store = Store(tmp_path)
    store.put(key(1), b"code")
    (tmp_path / key(1)).chmod(0o666)
    assert store.get(key(1)) is None


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("KOBAI_CACHE", "0")
    assert cache.store() is None
    assert cache.remembered(key(1), lambda: b"made") == b"made"
    monkeypatch.delenv("KOBAI_CACHE")
    monkeypatch.delenv("KOBAI_CACHE_DIR", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "kobai"
    monkeypatch.setenv("KOBAI_CACHE_DIR", str(tmp_path / "own"))
    assert cache.folder() == tmp_path / "own"


WRITER = """if True:
    import os, sys
    from kobai.compile.cache import Store, digest
    store = Store(sys.argv[1], limit=60_000)
    bad = 0
    for i in range(300):
        name = digest("shared", i % 40)
        contents = name.encode() * 100
        got = store.get(name)
        bad += got is not None and got != contents
        store.put(name, contents)
    print(bad)
"""


def test_several_processes_at_once(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [p.communicate()[0].strip() for p in processes] == ["0"] * 4
    assert not list(tmp_path.glob("*.part"))
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) <= 60_000 + 4 * 60_000 // 8


USER = """if True:
    import sys
    import numpy as np
    from kobai.backends import llvm
    from kobai.compile.builder import build
    softmax = build(lambda k, x: k.exp(x - k.amax(x)) / k.sum(k.exp(x - k.amax(x))), ["f32"])
    y, = llvm.run(softmax, np.ones((2, 4), "f4"), inner=1)
    assert y.tolist() == [[0.25] * 4] * 2, y
    llvm.bridge()
    print("llvmlite" in sys.modules)
"""


def _run(folder, **more):
    env = {**os.environ, "KOBAI_CACHE_DIR": str(folder), "KOBAI_CACHE": "1", **more}
    done = subprocess.run([sys.executable, "-c", USER], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_llvm
def test_the_second_process_does_not_compile(tmp_path):
    assert _run(tmp_path) == "True"
    assert _run(tmp_path) == str(not object_code.supported)


@needs_llvm
def test_a_process_leaves_better_code_than_it_began_with(tmp_path):
    """The code between Python and kernels is written in haste at first: its entry is replaced as the process ends."""
    show = """if True:
        from kobai.backends import llvm, step
        m = llvm.machine()
        used, best = m.assemble_glue(step.TEXT), m.compile(step.TEXT)
        print(used == best, len(used) > len(best))
    """
    env = {**os.environ, "KOBAI_CACHE_DIR": str(tmp_path), "KOBAI_CACHE": "1"}
    first, second = (subprocess.run([sys.executable, "-c", show], env=env, capture_output=True, text=True)
                     for _ in range(2))
    assert (first.stdout, second.stdout) == ("False True\n", "True False\n"), first.stderr + second.stderr


@needs_llvm
def test_damaged_code_is_never_run(tmp_path):
    _run(tmp_path)
    for path in tmp_path.iterdir():
        contents = bytearray(path.read_bytes())
        contents[len(contents) // 2] ^= 255
        path.write_bytes(contents)
    assert _run(tmp_path) == "True"
    assert _run(tmp_path) == str(not object_code.supported)


@needs_llvm
def test_another_cpu_has_other_code(tmp_path):
    _run(tmp_path)
    count = len(list(tmp_path.iterdir()))
    assert _run(tmp_path, KOBAI_CPU="x86-64-v3" if sys.maxsize > 2**32 else "") == "True"
    assert len(list(tmp_path.iterdir())) == 2 * count


@needs_llvm
def test_a_change_of_the_compiler_makes_new_code(tmp_path, monkeypatch):
    monkeypatch.setenv("KOBAI_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("KOBAI_CACHE", "1")
    m = llvm.machine()
    assert m.remembered("key", lambda: NOTHING.format("a")) == m.remembered("key", lambda: "not looked at")
    monkeypatch.setattr(cache, "_fingerprint", "another")
    assert b"other\0" in m.remembered("key", lambda: NOTHING.format("other"))


NOTHING = "define void @{}() {{\n  ret void\n}}"


@needs_llvm
@pytest.mark.skipif(not object_code.supported, reason="LLVM loads the code on this platform")
class TestLoader:
    """Loading object code gives what LLVM's loader gives."""

    def test_constants_data_and_calls(self):
        m = llvm.machine()
        text = """
@counter = global i64 5
@zeroed = global [100 x i64] zeroinitializer
declare double @ldexp(double, i32)
define double @times8(double %x) {
  %y = call double @ldexp(double %x, i32 3)
  %z = fadd double %y, 0.125
  ret double %z
}
define i64 @count() {
  %a = load i64, ptr @counter
  %b = add i64 %a, 1
  store i64 %b, ptr @counter
  ret i64 %b
}
"""
        import ctypes

        found = object_code.load(m.compile(text))
        times8 = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(found["times8"])
        assert times8(1.5) == 12.125
        count = ctypes.CFUNCTYPE(ctypes.c_int64)(found["count"])
        assert [count(), count()] == [6, 7]
        assert list((ctypes.c_int64 * 100).from_address(found["zeroed"])) == [0] * 100

    def test_what_is_not_understood_is_left_to_llvm(self):
        m = llvm.machine()
        code = m.compile("declare void @no_such_function()\ndefine void @f() {\n call void @no_such_function()\n ret void\n}")
        for bad in (b"", b"\x7fELF", code[:200], code, b"MZ" + code):
            with pytest.raises(object_code.Unsupported):
                object_code.load(bad)

    def test_a_forked_child_has_its_own_data(self):
        import ctypes

        found = object_code.load(llvm.machine().compile("@cell = global i64 1\n" + NOTHING.format("f")))
        cell = ctypes.c_int64.from_address(found["cell"])
        child = os.fork()
        if not child:
            cell.value = 2
            os._exit(0)
        os.waitpid(child, 0)
        assert cell.value == 1


@needs_llvm
def test_equal_kernels_have_one_name():
    from kobai.compile.lower import Layout

    layout = Layout(("1", "1"), 1, 0)
    one, two, other = [build(lambda k, x: k.exp(x) * c, ["f32"], n) for c, n in ((2, "a"), (2, "b"), (3, "a"))]
    names = [llvm.Compiled(kernel, layout).name for kernel in (one, two, other)]
    assert names[0] == names[1] != names[2]
    assert np.isfinite(llvm.run(one, np.zeros(3, "f4"))[0]).all()


@needs_llvm
def test_a_second_process_finds_all_code_that_the_first_made(tmp_path):
    """Code with an address of the process in it, or sets in their order, would be found by luck only; processes would leave more.

    Each process orders its sets in another way.
    """
    program = """if True:
        import sys, kobai
        model = kobai.nn.Sequential(kobai.nn.Linear(40, 50), kobai.nn.GELU(), kobai.nn.LayerNorm(50))
        opt = kobai.optim.AdamW(model.parameters())
        @kobai.compile
        def step(x, more):
            opt.zero_grad()
            loss = model(x["x"]).square().mean()
            loss.backward()
            opt.step()
            return loss
        x = kobai.randn(31, 40)
        for _ in range(4):
            step({"x": x}, [x])
        assert step.reason is None
        print("llvmlite" in sys.modules)
    """
    said, entries = [], []
    for seed in "123":
        run = subprocess.run([sys.executable, "-c", program], check=True, text=True, capture_output=True,
                             env={**os.environ, "KOBAI_CACHE_DIR": str(tmp_path), "PYTHONHASHSEED": seed})
        said.append(run.stdout.strip())
        entries.append(len(os.listdir(tmp_path)))
    assert said == ["True", "False", "False"]
    assert entries[1] == entries[2]
