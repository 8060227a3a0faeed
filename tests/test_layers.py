"""Arrows between modules point one way (docs/architecture.md): imports at the top of a file count."""
import ast
import pathlib

import pytest

SRC = pathlib.Path(__file__).parents[1] / "src" / "kobai"

# From the bottom up. A module may import what stands below it or beside it.
LAYERS = [
    {"aligned", "families", "later", "openblas"},
    {"dtypes", "devices", "pytree", "return_types", "lifted", "printing", "exact", "rejection",
     "diagnose.language", "compat.homes", "compat.missing", "compat.names"},
    {"autograd.mode", "autograd.node", "diagnose"},
    {"tensor"},
    {"autograd.batched", "generator", "random", "rules", "saved", "general", "large", "op", "inplace", "public", "takes",
     "subclasses", "meta", "testing.samples"},
    {"ops"},
    {"autograd", "func", "control"},
    {"compile", "backends"},
    {"linalg", "fft", "special", "sparse", "utils", "serialization", "distributions"},
    {"nn", "optim"},
    {"testing", "viewer", "diagnose.formula", "diagnose.numbers", "diagnose.tape", "diagnose.explain",
     "diagnose.sections", "diagnose.pages", "diagnose.no_grad", "diagnose.holders", "diagnose.written",
     "diagnose.watch", "diagnose.anew", "diagnose.nan", "diagnose.lessons", "diagnose.coach"},
    {"compat", "cli", "doctor", "playground", "__main__"},
]


def layer(module):
    """The number of the layer of the longest listed prefix; None for what is in no layer."""
    parts = module.split(".")
    for n in range(len(parts), 0, -1):
        name = ".".join(parts[:n])
        for i, names in enumerate(LAYERS):
            if name in names:
                return i
    return None


def modules():
    for path in sorted(SRC.rglob("*.py")):
        if "children" in path.parts:
            continue
        name = ".".join(path.relative_to(SRC).with_suffix("").parts)
        yield name.removesuffix(".__init__") or "__init__", path


def top_level_imports(name, path):
    """Modules of kobai imported when this one is imported."""
    package = name.split(".")[:-1] if path.name != "__init__.py" else name.split(".")
    package = [] if name == "__init__" else package
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[:len(package) - node.level + 1]
            target = ".".join([*base, *(node.module.split(".") if node.module else [])])
            if node.module:
                yield target
            else:
                yield from (".".join([*base, a.name]) for a in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kobai."):
            yield node.module.removeprefix("kobai.")


@pytest.mark.parametrize("name, path", [m for m in modules() if m[0] != "__init__"], ids=lambda v: str(v))
def test_imports_point_down(name, path):
    mine = layer(name)
    if mine is None:
        pytest.skip("a module in no layer: a leaf that only public names reach")
    for target in top_level_imports(name, path):
        theirs = layer(target)
        assert theirs is None or theirs <= mine, f"{name} imports {target}, which stands above it"


def test_the_layers_name_what_exists():
    known = {n for n, _ in modules()}
    for names in LAYERS:
        for n in names:
            assert n in known or any(k.startswith(n + ".") for k in known), f"{n} is listed but does not exist"
