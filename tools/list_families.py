"""Write src/kobai/families.py: which modules `import kobai` leaves out, and the names that each defines.

    python tools/list_families.py            write the file
    python tools/list_families.py --print    show what it would hold

All modules of src/kobai/ops that ops/__init__.py does not import are families, and so is kobai.sparse. They are
imported one after another, and what is new in the public namespaces, in Tensor and in `m` after each is theirs.
A family may only add names: what it would replace depended on when it is imported.
"""

import ast
import pathlib
import sys
import types

SRC = pathlib.Path(__file__).resolve().parents[1] / "src"
OTHERS = ("sparse",)  # families beside those in ops
HEAD = '''"""Which names belong to the modules that `import kobai` leaves out: module -> namespace -> names.

Written by tools/list_families.py; do not edit.
"""
FAMILIES: dict[str, dict[str, str]] = {
'''


def main():
    text = listing()
    if "--print" in sys.argv:
        sys.stdout.write(text)
    else:
        (SRC / "kobai" / "families.py").write_text(text, encoding="utf-8")


def listing():
    """The text of families.py for the code as it is."""
    sys.path.insert(0, str(SRC))
    empty = types.ModuleType("kobai.families")
    empty.FAMILIES = {}
    sys.modules["kobai.families"] = empty  # the old list must not come into it
    import kobai  # noqa: F401, PLC0415

    return HEAD + "".join(map(entry, in_order(families()), map(new_names, in_order(families())))) + "}\n"


def families():
    """The modules that wait, "ops.fft"."""
    every = [f"ops.{p.stem}" for p in sorted((SRC / "kobai" / "ops").glob("*.py")) if p.stem != "__init__"]
    return [f for f in (*every, *OTHERS) if "kobai." + f not in sys.modules]


def in_order(waiting):
    """The modules, each after those that it imports."""
    done = []

    def visit(name):
        if name in waiting and name not in done:
            for needed in imports(name):
                visit(needed)
            if name not in done:
                done.append(name)
    for name in waiting:
        visit(name)
    return done


def imports(name):
    """The modules of kobai/ops that a module of it, or the package `name`, imports."""
    path = SRC / "kobai" / name.replace(".", "/")
    for file in sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = (node.module or "").removeprefix("ops.")
                yield from (f"ops.{n}" for n in ([base] if base else [a.name for a in node.names]))


def spaces():
    """Every namespace with what it holds now."""
    from kobai import return_types  # noqa: PLC0415
    from kobai.lifted import m  # noqa: PLC0415
    from kobai.public import names  # noqa: PLC0415
    from kobai.tensor import Tensor  # noqa: PLC0415

    found = {space: dict(held) for space, held in names.items() if space != "Tensor"}
    methods = {n: v for cls in reversed(Tensor.__mro__) for n, v in vars(cls).items()}
    return {**found, "Tensor": methods, "m": dict(vars(m)), "return_types": dict(vars(return_types))}


def new_names(module):
    """Namespace -> names that importing `module` adds."""
    from kobai.later import load  # noqa: PLC0415

    before = spaces()
    load(module)
    found = {}
    for space, held in spaces().items():
        old = before.get(space, {})
        replaced = [n for n in held if n in old and held[n] is not old[n]]
        special = [n for n in held if n.startswith("__") and held[n] is not old.get(n)]
        if replaced or special:
            sys.exit(f"kobai.{module} must be imported by ops/__init__.py: it sets {space}.{replaced or special}")
        added = sorted(n for n in held if n not in old)
        if added:
            found[space] = added
    return found


def entry(module, found):
    """The lines of one module."""
    lines = [f'    "{module}": {{\n']
    for space, names in sorted(found.items()):
        lines += [f'        "{space}":\n', *wrapped(names), ]
    return "".join([*lines, "    },\n"])


def wrapped(names, width=110):
    """The names as adjacent string literals of at most `width` columns."""
    rows = [""]
    for n in names:
        if len(rows[-1]) + len(n) + 1 > width - 16:
            rows.append("")
        rows[-1] += n + " "
    rows[-1] = rows[-1].rstrip()
    return [f'            "{row}"{"," if i == len(rows) - 1 else ""}\n' for i, row in enumerate(rows)]


if __name__ == "__main__":
    main()
