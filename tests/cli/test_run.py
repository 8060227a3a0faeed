"""`kobai run` treats a program as `python` does; Python itself gives the expected output."""

import zipfile

import pytest

PROBE = """\
import atexit, inspect, os, pickle, sys
class Thing: pass
def described(spec): return spec and (spec.name, spec.origin, spec.parent)
print(sys.argv, sys.path[0], len(sys.path))
print(__name__, globals().get("__file__"), __package__, described(__spec__), __doc__, __cached__)
print(type(__loader__).__name__, type(__builtins__).__name__, sys.modules["__main__"].Thing is Thing)
print(type(pickle.loads(pickle.dumps(Thing()))) is Thing)
print(inspect.getsource(Thing) if "__file__" in globals() else "")
atexit.register(lambda: print("at exit", Thing.__name__))
"""


def same_as_python(workshop, *arguments, **more):
    """Run a program both ways; stdout, stderr and the exit status must be equal."""
    plain = workshop.python(*arguments, **more)
    ours = workshop.kobai("run", *arguments, **more)
    assert (ours.stdout, ours.stderr, ours.returncode) == (plain.stdout, plain.stderr, plain.returncode)
    return ours


@pytest.mark.parametrize("safe_path", ["", "1"])
def test_a_file_runs_as_main(workshop, safe_path):
    workshop.write("folder/probe.py", PROBE)
    result = same_as_python(workshop, "folder/probe.py", "one", "-m", "--help", PYTHONSAFEPATH=safe_path)
    assert "'--help'" in result.stdout
    assert "at exit Thing" in result.stdout


def test_a_link_runs_beside_its_target(workshop):
    workshop.write("real/probe.py", PROBE)
    (workshop.folder / "link.py").symlink_to(workshop.folder / "real" / "probe.py")
    same_as_python(workshop, "link.py")


def test_a_module_runs_as_main(workshop):
    workshop.write("package/__init__.py", "")
    workshop.write("package/probe.py", PROBE)
    workshop.write("package/__main__.py", PROBE)
    assert "'package.probe'" in same_as_python(workshop, "-m", "package.probe", "x").stdout
    assert "'package.__main__'" in same_as_python(workshop, "-m", "package", "x").stdout


def test_a_folder_and_a_zip_file_run(workshop):
    workshop.write("folder/__main__.py", PROBE)
    assert "Thing" in same_as_python(workshop, "folder", "x").stdout
    with zipfile.ZipFile(workshop.folder / "packed.zip", "w") as packed:
        packed.writestr("__main__.py", "import sys; print(__name__, sys.argv, sys.path[0])")
    assert "packed.zip" in same_as_python(workshop, "packed.zip", "x").stdout


def test_standard_input_runs(workshop):
    probe = "import sys; print(__name__, sys.argv, repr(sys.path[0]), __file__, __loader__, __package__)"
    assert "__main__ ['-', 'x'] '' <stdin> <class" in same_as_python(workshop, "-", "x", stdin=probe).stdout


@pytest.mark.parametrize(
    "text",
    [
        "import sys; sys.exit(3)",
        "import sys; sys.exit('a message')",
        "def f():\n    return 1 / 0\nf()\n",
        "try:\n    {}['k']\nexcept KeyError as e:\n    raise ValueError('second') from e\n",
        "x = (\n",
        "# -*- coding: latin-1 -*-\nraise ValueError('x')\n",
        "raise ExceptionGroup('two', [ValueError(1), TypeError(2)])\n",
        "import sys\nsys.excepthook = lambda t, e, tb: print('own hook', t, tb.tb_lineno)\nraise OSError\n",
        "import no_such_module\n",
    ],
)
def test_ends_and_errors_look_as_in_python(workshop, text):
    workshop.write("program.py", text)
    assert same_as_python(workshop, "program.py").returncode != 0 or "exit" not in text


def test_an_interrupted_program_ends_with_130(workshop):
    workshop.write("program.py", "raise KeyboardInterrupt\n")
    result = workshop.kobai("run", "program.py")
    assert result.returncode == 130
    assert "kobai" not in result.stderr


BROKEN_INSIDE = """\
import torch
class Model(torch.nn.Module):
    def forward(self, x):
        return fails(x)
def fails(x):
    raise ValueError("said by the program")
Model()(1)
"""


def test_frames_inside_kobai_are_left_out_of_errors(workshop):
    workshop.write("program.py", BROKEN_INSIDE)
    text = workshop.kobai("run", "program.py").stderr
    assert [line.split(", ")[1:] for line in text.splitlines() if line.startswith("  File")] == [
        ["line 7", "in <module>"], ["line 4", "in forward"], ["line 6", "in fails"],
    ]  # fmt: skip
    assert "ValueError: said by the program" in text
    assert "KOBAI_TRACEBACK=full" in text
    full = workshop.kobai("run", "program.py", KOBAI_TRACEBACK="full").stderr
    assert "module.py" in full
    assert "script.py" not in full
    assert "KOBAI_TRACEBACK" not in full


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "needs a program"),
        (["run", "-m"], "needs a program"),
        (["run", "-x", "program.py"], "no option '-x'"),
        (["run", "missing.py"], "cannot open 'missing.py'"),
        (["run", "-m", "no.such"], "No module named 'no'"),
        (["run", "site"], "no __main__.py"),
        (["rum"], "did you mean `kobai run`?"),
    ],
)
def test_misuse_is_explained(workshop, arguments, says):
    result = workshop.kobai(*arguments)
    assert result.returncode == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_help_and_version(workshop):
    import kobai

    assert workshop.kobai("--version").stdout == f"kobai {kobai.__version__}\n"
    assert workshop.kobai().stdout == workshop.kobai("--help").stdout == workshop.kobai("run", "-h").stdout
    assert "kobai run FILE" in workshop.kobai().stdout
