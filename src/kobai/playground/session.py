"""What happens in the page's worker: one program runs, and what it prints, draws and computes is shown."""

from __future__ import annotations

import ast
import base64
import io
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from time import perf_counter
from types import ModuleType

from kobai.compat import hook
from kobai.compat.script import _hide_frames
from kobai.viewer import model, page
from kobai.viewer.record import Recording

PROGRAM = "program.py"
EVERY = 0.05  # seconds between two messages about output: a program that prints without end does not drown the page


def run(source: str, lang: str, show: Callable[[str, str], None]) -> bool:
    """Run a program as `kobai run` does, and show its last expression as a notebook does; whether it ended well.

    `show(kind, text)` is called with "output" and "error" (text to print), "picture" (the address of an image)
    and "graph" (the page of the viewer).
    """
    os.environ["KOBAI_LANG"] = lang
    os.environ["MPLBACKEND"] = "agg"
    hook.install()
    _write(source)
    main = ModuleType("__main__")
    main.__file__ = os.path.abspath(PROGRAM)
    sys.modules["__main__"] = main
    out, err = Printer(show, "output"), Printer(show, "error")
    with redirect_stdout(out), redirect_stderr(err):
        with Recording() as recording:
            good = _execute(source, main, show)
            out.flush()
            err.flush()
        _show_figures(show)
    _show_graph(recording, lang, show)
    return good


def _write(source: str) -> None:
    """The program as a file: where errors, `inspect` and the viewer look for its lines."""
    with open(PROGRAM, "w", encoding="utf-8") as file:
        file.write(source)


def _execute(source: str, main: ModuleType, show) -> bool:
    """Run all statements; the value of a last one that is an expression is shown."""
    try:
        tree = ast.parse(source, main.__file__)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, main.__file__, "exec"), main.__dict__)
        if last is not None:
            _display(eval(compile(ast.Expression(last.value), main.__file__, "eval"), main.__dict__), show)
    except SystemExit as end:
        return end.code in (None, 0)
    except BaseException as error:  # whatever it is, the reader sees it
        _hide_frames(error)
        error.__traceback__ = _without_this_file(error.__traceback__)
        traceback.print_exception(error)
        return False
    return True


def _without_this_file(entry):
    while entry is not None and entry.tb_frame.f_code.co_filename == __file__:
        entry = entry.tb_next
    return entry


def _display(value, show) -> None:
    """A value as the last line of a notebook's cell: a picture if it is one, else its repr."""
    bundle = getattr(value, "_repr_mimebundle_", dict)()
    if "image/svg+xml" in bundle:
        sys.stdout.flush()
        show("picture", address("image/svg+xml", bundle["image/svg+xml"].encode()))
    elif value is not None:
        print(repr(value))


def _show_figures(show) -> None:
    """Matplotlib's open figures, as `plt.show()` would show them."""
    plt = sys.modules.get("matplotlib.pyplot")
    for number in plt.get_fignums() if plt else ():
        file = io.BytesIO()
        plt.figure(number).savefig(file, format="png", dpi=110)
        show("picture", address("image/png", file.getvalue()))
    if plt:
        plt.close("all")


def _show_graph(recording: Recording, lang: str, show) -> None:
    """The viewer's page, where the program computed anything."""
    try:
        description = model.describe(recording, lang=lang, title=PROGRAM)
    except TypeError:  # nothing to show
        return
    show("graph", page.html(description, lang=lang))


def address(kind: str, data: bytes) -> str:
    """A data URL: an image from it can run no script.

    >>> address("image/png", b"x")
    'data:image/png;base64,eA=='
    """
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


class Printer(io.TextIOBase):
    """A stream whose text is shown in batches."""

    def __init__(self, show, kind: str):
        self.show, self.kind = show, kind
        self.waiting: list[str] = []
        self.shown = perf_counter()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.waiting.append(text)
        if perf_counter() - self.shown > EVERY:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Show what has been written since the last time."""
        text = "".join(self.waiting)
        self.waiting.clear()
        self.shown = perf_counter()
        if text:
            self.show(self.kind, text)
