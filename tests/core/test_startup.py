"""What `import kobai` imports, and that what it leaves out is found when it is used."""
import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest

import kobai
from kobai import families, later

ROOT = pathlib.Path(__file__).parents[2]

# Imported when first used, whatever is installed.
LATER = ["scipy", "llvmlite", "pygraphviz", "resvg_py", "matplotlib", "IPython", "tensorflow", "torch", "asyncio",
         "concurrent", "dataclasses", "multiprocessing", "sqlite3", "ssl", "unittest", "zipfile",
         "kobai.backends", "kobai.cli", "kobai.compat", "kobai.compile", "kobai.cuda", "kobai.distributions", "kobai.func",
         "kobai.nn", "kobai.optim", "kobai.sparse", "kobai.utils", "kobai.viewer"]


def in_new_python(program):
    """What a Python that has imported nothing prints, read as JSON."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": str(ROOT / "src"), "PATH": "", "KOBAI_LANG": "en"})
    return json.loads(done.stdout)


def imported(*modules):
    """The modules that `import` of modules leaves in a new Python."""
    return set(in_new_python(f"import json, sys, {', '.join(modules)}; print(json.dumps(sorted(sys.modules)))"))


@pytest.fixture(scope="module")
def at_start():
    return imported("kobai") - imported("numpy")


@pytest.mark.parametrize("module", LATER)
def test_not_imported_at_start(module, at_start):
    found = sorted(n for n in at_start if n == module or n.startswith(module + "."))
    # The package of compat's near names is there; what it serves is not.
    assert not set(found) - {"kobai.compat", "kobai.compat.missing", "kobai.compat.names"}


def test_few_modules_at_start(at_start):
    own = {n for n in at_start if n.startswith("kobai")}
    assert len(own) <= 72, f"{len(own)} modules of kobai: can one of them wait? {sorted(own)}"
    others = {n for n in at_start - own if not n.startswith(("ml_dtypes", "_"))}
    assert len(others) <= 8, f"{sorted(others)}"


@pytest.mark.parametrize("family", families.FAMILIES)
def test_families_wait(family, at_start):
    assert "kobai." + family not in at_start


def test_the_list_of_families_is_fresh():
    spec = importlib.util.spec_from_file_location("list_families", ROOT / "tools" / "list_families.py")
    assert spec.origin
    done = subprocess.run([sys.executable, spec.origin, "--print"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    held = (ROOT / "src" / "kobai" / "families.py").read_text(encoding="utf-8")
    assert done.stdout == held, "an op was added, renamed or moved: run `python tools/list_families.py`"


@pytest.mark.parametrize("program", [
    "kobai.erf(kobai.zeros(2)).tolist()",
    "kobai.zeros(2).erf().tolist()",
    "kobai.Tensor.erf(kobai.zeros(2)).tolist()",
    "kobai.special.erf(kobai.zeros(2)).tolist()",
    "kobai.op.m.erf(kobai.zeros(2)).tolist()",
    "kobai.nn.functional.gelu(kobai.zeros(2)).tolist()",
    "kobai.zeros(2).erf_().tolist()",
    "type('Sub', (kobai.Tensor,), {'erf': lambda self: super(type(self), self).erf()})([0.0, 0.0]).erf().tolist()",
    "__import__('pickle').loads(__import__('pickle').dumps(kobai.zeros(2).erf_())).tolist()",
])
def test_a_name_that_waits_is_found(program):
    assert in_new_python(f"import json, kobai, kobai.op, kobai.nn; print(json.dumps({program}))") == [0.0, 0.0]


def test_dir_hasattr_and_star_know_what_waits():
    program = ("import json, kobai; from kobai import *; from kobai.op import registry; import sys;"
               "before = 'kobai.ops.fft' in sys.modules;"
               "print(json.dumps(['erf' in dir(kobai), 'erf' in dir(kobai.Tensor), hasattr(kobai.Tensor, 'erf'),"
               "hasattr(kobai, 'erff'), callable(einsum), 'svd' in dir(kobai.linalg), hasattr(kobai.fft, 'fft3'),"
               "'FftC2C' in [op.__name__ for op in registry]]))")
    assert in_new_python(program) == [True, True, True, False, True, True, False, True]


def test_each_family_loads_by_itself():
    """In any order, that is: no family counts on another that happens to be there."""
    program = "import json, sys, kobai\nfrom kobai import later\nlater.load({!r})\nprint(json.dumps(True))"
    for family in list(families.FAMILIES)[::6]:
        assert in_new_python(program.format(family)) is True


@pytest.mark.parametrize("space", sorted({s for spaces in families.FAMILIES.values() for s in spaces}))
def test_every_name_in_the_list_exists(space):
    later.load_all(space)
    places = {"torch": kobai, "m": kobai.op.m, "Tensor": kobai.Tensor, "nn.functional": kobai.nn.functional}
    place = places.get(space) or getattr(kobai, space)
    for name in later.waiting(space):
        found = vars(place).get(name) if space in ("Tensor", "m") else getattr(place, name)
        assert found is not None and not isinstance(found, later.Later), f"{space}.{name}"


def test_every_module_is_imported_where_only_numpy_is():
    program = """if True:
        import importlib, pkgutil, sys
        for name in ("ml_dtypes", "scipy", "llvmlite", "pygraphviz", "resvg_py"):
            sys.modules[name] = None
        import kobai
        for found in pkgutil.walk_packages(kobai.__path__, "kobai."):
            if not found.name.endswith("__main__") and found.name != "kobai.playground.figures":  # which draws by matplotlib
                importlib.import_module(found.name)
        kobai.testing.assert_close(kobai.ones(2), kobai.ones(2) + 1e-7)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
