"""Which errors of kobai come from the catalogue and which have a plain message: list_raises.py [PART OF A PATH].

Prints file, line, type and message of each `raise` with a plain message that a user can see (or of the `return` in a
function that makes what is raised), and how many there are of each kind. Left out: abstract methods, control flow
(StopIteration and the like), answers to hasattr, errors that are raised again, and lines with a comment `# plain: why`.
"""

import ast
import sys
from collections.abc import Iterator, Set
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parents[1] / "src" / "kobai"
QUIET = {"StopIteration", "StopAsyncIteration", "KeyboardInterrupt", "SystemExit", "GeneratorExit"}
# Told from one part of kobai to another, which goes another way then; GradcheckError is a report, not a mistake.
INTERNAL = {"NoKernel", "Unknown", "Unsupported", "KernelError", "Untraceable", "WorkerDied", "GradcheckError"}
EXEMPT = "# plain:"  # a comment after it says why a message stays out of the catalogue


class Raise(NamedTuple):
    """One statement that raises."""

    file: str
    line: int
    type: str  # of the exception; "catalogue" where the catalogue makes it
    message: str


def _called(call: ast.expr) -> str:
    """What a call calls, without the module or object before it."""
    return ast.unparse(call.func).rpartition(".")[2] if isinstance(call, ast.Call) else ""


def raised_functions() -> set[str]:
    """Functions whose result is raised as it is, by name: `raise _damaged(file)`."""
    return {name for path in SOURCE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Raise) and (name := _called(node.exc)) and name.lstrip("_")[:1].islower()}


def returned(tree: ast.Module, functions: Set[str]) -> Iterator[ast.Call]:
    """The exceptions that functions of these names make and return."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name in functions:
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and _called(node.value).endswith("Error"):
                    yield node.value


def raises(path: Path, functions: Set[str] = frozenset()) -> Iterator[Raise]:
    """The errors with a text that a file raises, or that functions of these names return to be raised."""
    name, source = str(path.relative_to(SOURCE)), path.read_text(encoding="utf-8")
    lines, tree = source.splitlines(), ast.parse(source)
    for call in returned(tree, functions):
        if call.args and EXEMPT not in lines[call.lineno - 1]:
            yield Raise(name, call.lineno, _called(call), ast.unparse(call.args[0])[:110])
    asked = {r for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) and f.name == "__getattr__" for r in ast.walk(f)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
            continue
        called = _called(node.exc)
        if called in ("error", "warn"):
            yield Raise(name, node.lineno, "catalogue", ast.unparse(node.exc.args[0]))
        elif node in asked and called == "AttributeError":  # how hasattr asks; Python adds near names itself
            continue
        elif called not in QUIET | INTERNAL and called[:1].isupper() and node.exc.args \
                and EXEMPT not in lines[node.lineno - 1]:
            yield Raise(name, node.lineno, called, ast.unparse(node.exc.args[0])[:110])


def everything(part: str = "") -> list[Raise]:
    """All of them, of files whose path contains `part`."""
    functions = raised_functions()
    return [r for path in sorted(SOURCE.rglob("*.py")) if part in str(path.relative_to(SOURCE))
            for r in raises(path, functions)]


def main(part: str = "") -> int:
    """Print the list and the counts."""
    found = everything(part)
    plain = [r for r in found if r.type != "catalogue"]
    for r in plain:
        print(f"{r.file}:{r.line}: {r.type}: {r.message}")
    print(f"{len(found) - len(plain)} from the catalogue, {len(plain)} plain", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
