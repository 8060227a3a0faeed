"""How programs with workers end: nothing hangs, nothing is printed, no process stays behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(),
                                reason="uses fork and POSIX signals")

HEAD = """
    import os, time
    from kobai.utils.data import DataLoader, Dataset

    class Slow(Dataset):
        def __len__(self):
            return 1000
        def __getitem__(self, index):
            time.sleep(SECONDS if index else 0)
            return os.getpid()
"""
START = """
    import signal
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    loader = DataLoader(Slow(), num_workers=2, persistent_workers=True)
    batches = iter(loader)
    next(batches)
    print(*(process.pid for process in batches._pool.processes), flush=True)
"""


def start(script, seconds):
    """A program in a process group of its own, after its first line of output: the workers' ids."""
    text = "".join(map(textwrap.dedent, (HEAD.replace("SECONDS", str(seconds)), START, script)))
    program = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)
    return program, [int(pid) for pid in program.stdout.readline().split()]


def all_gone(pids, seconds=6):
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(alive, pids))


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")        # a zombie nobody waits for has left, too
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def test_leaving_in_the_middle_of_an_epoch():
    program, workers = start("raise SystemExit(7)", seconds=0.01)
    _, errors = program.communicate(timeout=10)
    assert program.returncode == 7 and errors == ""
    assert len(workers) == 2 and all_gone(workers, 0.5)


def test_ctrl_c_shows_one_traceback_and_ends_everything():
    program, workers = start("for _ in batches: pass", seconds=0.2)
    time.sleep(0.1)
    os.killpg(program.pid, signal.SIGINT)           # as the terminal does: to all of them
    _, errors = program.communicate(timeout=10)
    assert program.returncode == -signal.SIGINT
    assert errors.count("Traceback") == 1 and errors.rstrip().endswith("KeyboardInterrupt")
    assert all_gone(workers, 0.5)


def test_ctrl_c_that_the_program_catches_leaves_the_workers_at_work():
    program, workers = start("""
        try:
            time.sleep(5)
        except KeyboardInterrupt:
            print(next(batches).item() in [p.pid for p in batches._pool.processes])
    """, seconds=0.01)
    time.sleep(0.1)
    os.killpg(program.pid, signal.SIGINT)
    output, errors = program.communicate(timeout=10)
    assert output == "True\n" and errors == "" and all_gone(workers, 0.5)


def test_workers_leave_when_the_program_is_killed_even_out_of_a_sample_that_hangs():
    program, workers = start("time.sleep(100)", seconds=100)
    program.kill()
    program.communicate(timeout=10)
    assert all_gone(workers)


def test_a_python_without_processes():
    """As in a browser: the module behind `multiprocessing` is not there."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent("""
        import sys
        sys.modules["_multiprocessing"] = None
        from kobai.utils.data import DataLoader
        assert "multiprocessing" not in sys.modules         # nor loaded for nothing
        print([batch.tolist() for batch in DataLoader(range(3), num_workers=2)])
    """)], capture_output=True, text=True, timeout=25)
    assert done.stdout == "[[0], [1], [2]]\n" and "num_workers is ignored" in done.stderr


def test_spawned_workers(tmp_path):
    """They get the dataset by pickling, and find the program's own classes in its file."""
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent("""
        import sys
        import numpy as np
        import kobai
        from kobai.utils.data import DataLoader, Dataset

        class Squares(Dataset):
            def __init__(self):
                self.generator = np.random.default_rng(0)
                self.x = kobai.arange(4.)
            def __len__(self):
                return 4
            def __getitem__(self, index):
                return self.x[index] ** 2, self.generator.random()

        if __name__ == "__main__":
            loader = DataLoader(Squares(), num_workers=2, multiprocessing_context="spawn")
            squares, noise = zip(*loader)
            print(*[x.item() for x in squares], len({x.item() for x in noise}))
            try:
                list(DataLoader(Squares(), num_workers=1, multiprocessing_context="spawn",
                                collate_fn=lambda batch: batch))
            except Exception as error:
                print("top level of a module" in error.__notes__[0])
    """))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=25)
    assert done.stdout == "0.0 1.0 4.0 9.0 4\nTrue\n", done.stderr
    assert done.stderr == ""
