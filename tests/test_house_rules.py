"""Rules of CONTRIBUTING.md that can be counted: what fits in a head, nothing written twice, nothing without a word."""
import ast
import collections
import functools
import inspect
import pathlib
import re

import pytest

import kobai

ROOT = pathlib.Path(__file__).parents[1]
FILES = sorted(p for folder in ("src", "tests", "tools", "benchmarks", "examples") for p in (ROOT / folder).rglob("*.py"))
CODE = [p for p in FILES if "src" in p.relative_to(ROOT).parts and "playground" not in p.parts]
MOST_LINES, MOST_OF_A_FUNCTION = 600, 60
ENOUGH = 30  # nodes of the syntax of a function that is no mere one-liner


@functools.cache
def functions(path):
    """The functions of a file, each with its body without the docstring."""
    found, left = [], ast.parse(path.read_text(encoding="utf-8")).body
    while left:
        node = left.pop()
        if isinstance(node, ast.FunctionDef):
            found.append((node, node.body[ast.get_docstring(node, clean=False) is not None:]))
        for part in ("body", "orelse", "finalbody"):  # nothing but statements holds functions
            left.extend(getattr(node, part, ()) if isinstance(node, ast.stmt) else ())
    return found


def test_files_fit_in_a_head():
    long = {str(p.relative_to(ROOT)): n for p in FILES if (n := len(p.read_text(encoding="utf-8").splitlines())) > MOST_LINES}
    assert not long


def test_functions_fit_on_a_screen():
    long = {f"{p.relative_to(ROOT)}:{f.lineno} {f.name}": n for p in CODE for f, body in functions(p)
            if body and (n := f.end_lineno - body[0].lineno + 1) > MOST_OF_A_FUNCTION}
    assert not long


def test_no_function_is_written_twice():
    found = collections.defaultdict(list)
    for path in CODE:
        for f, body in functions(path):
            if sum(1 for part in body for _ in ast.walk(part)) > ENOUGH:
                found[ast.dump(f.args), *map(ast.dump, body)].append(f"{path.relative_to(ROOT)}:{f.lineno} {f.name}")
    assert not [places for places in found.values() if len(places) > 1]


def test_comments_name_files_that_exist():
    known = {p.name for p in FILES} | {p.name for p in (ROOT / "docs").rglob("*.md")}
    wrong = {f"{p.relative_to(ROOT)}: {name}" for p in CODE for line in p.read_text(encoding="utf-8").splitlines()
             if "# " in line and '"' not in line for name in re.findall(r"\b\w+\.(?:py|md)\b", line.partition("# ")[2])
             if name not in known}
    assert not wrong


@pytest.mark.parametrize("space", ["torch", "Tensor", "nn.functional", "linalg", "fft", "special"])
def test_public_functions_say_their_name_and_what_they_do(space):
    where = kobai
    for part in {"torch": [], "Tensor": ["Tensor"]}.get(space, space.split(".")):
        where = getattr(where, part)
    silent = [n for n in dir(where) if not n.startswith("_") and inspect.isfunction(fn := getattr(where, n, None))
              and (not inspect.getdoc(fn) or fn.__name__ == "<lambda>")]
    assert not silent
