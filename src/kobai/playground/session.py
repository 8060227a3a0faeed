"""What happens in the page's worker: one program runs, and what it prints, draws and computes is shown."""

from __future__ import annotations

import ast
import base64
import io
import linecache
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from time import perf_counter
from types import ModuleType

from kobai.compat import hook
from kobai.compat.script import _hide_frames
from kobai.diagnose.hints import explain
from kobai.viewer import model, page, view as views
from kobai.viewer.record import Recording

PROGRAM = "program.py"
EVERY = 0.05  # seconds between two messages about output: a program that prints without end does not drown the page
showing: Callable[[str, str], None] = print  # where what the running program shows goes


def run(source: str, lang: str, show: Callable[[str, str], None]) -> bool:
    """Run a program as `kobai run` does, and show its last expression as a notebook does; whether it ended well.

    Lines with `>>>`, as documentation has them, run as they would behind Python's own prompt.
    `show(kind, text)` is called with "output" and "error" (text to print), "picture" (the address of an image)
    and "graph" (the page of the viewer).
    """
    os.environ["KOBAI_LANG"] = lang
    os.environ["MPLBACKEND"] = "module://kobai.playground.figures"
    hook.install()
    global showing
    stream = Stream(show)
    showing = stream.show
    program = program_of(source)
    main = _main(program)
    asked: list[views.View] = []
    views.elsewhere = asked.append
    with redirect_stdout(Printer(stream, "output")), redirect_stderr(Printer(stream, "error")):
        with Recording() as recording:
            good = _execute(program, main) if program == source else _converse(program, main)
        _show_figures()
    stream.flush()
    if asked:
        showing("graph", asked[-1].html())
    else:
        _show_recorded(recording, lang)
    return good


def _main(source: str) -> ModuleType:
    """The program's module, and its text as a file: where errors, `inspect` and the viewer look for its lines."""
    with open(PROGRAM, "w", encoding="utf-8") as file:
        file.write(source)
    main = ModuleType("__main__")
    main.__file__ = path = os.path.abspath(PROGRAM)
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)  # not the last program's
    sys.modules["__main__"] = main
    sys.stdin = io.StringIO()  # nobody answers input()
    return main


def program_of(text: str) -> str:
    """A text as a program: of one copied from a page of documentation what stands behind the prompts, in the same lines.

    >>> program_of(">>> x = 2\\n>>> x\\n2")
    'x = 2\\nx\\n'
    >>> program_of("x = 2\\n")
    'x = 2\\n'
    """
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    indent = first[:len(first) - len(first.lstrip())]
    if not first.startswith(f"{indent}>>> "):
        return text
    prompts = tuple([indent + prompt for prompt in (">>> ", "... ")])
    return "\n".join([line[len(indent) + 4:] if line.startswith(prompts) else "" for line in lines])


def _converse(source: str, main: ModuleType) -> bool:
    """Run statement by statement, showing the value of each that is an expression; an error ends only its statement."""
    before, sys.displayhook = sys.displayhook, _display
    try:
        statements = ast.parse(source, main.__file__).body
        return all([_attempt(lambda s=s: exec(compile(ast.Interactive([s]), main.__file__, "single"), main.__dict__))
                    for s in statements])
    except SyntaxError as error:
        traceback.print_exception(error.with_traceback(None))
        return False
    finally:
        sys.displayhook = before


def _execute(source: str, main: ModuleType) -> bool:
    """Run all statements; the value of a last one that is an expression is shown."""
    def program() -> None:
        tree = ast.parse(source, main.__file__)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, main.__file__, "exec"), main.__dict__)
        if last is not None:
            _display(eval(compile(ast.Expression(last.value), main.__file__, "eval"), main.__dict__))
    return _attempt(program)


def _attempt(program: Callable[[], None]) -> bool:
    """Whether a piece of the program ended well; what it raised is shown."""
    try:
        program()
    except SystemExit as end:
        return end.code in (None, 0)
    except BaseException as error:  # whatever it is, the reader sees it
        explain(error)
        error.__traceback__ = _without_this_file(error.__traceback__)
        _hide_frames(error)
        traceback.print_exception(error)
        return False
    return True


def _without_this_file(entry):
    while entry is not None and entry.tb_frame.f_code.co_filename == __file__:
        entry = entry.tb_next
    return entry


def _display(value) -> None:
    """A value as the last line of a notebook's cell: a picture if it is one, else its repr."""
    if value is None or isinstance(value, views.View):  # the graph has a place of its own
        return
    bundle = getattr(value, "_repr_mimebundle_", dict)()
    if "image/svg+xml" in bundle:
        showing("picture", address("image/svg+xml", bundle["image/svg+xml"].encode()))
    else:
        print(repr(value))


def _show_figures() -> None:
    """Figures that the program left open, as `plt.show()` would show them."""
    figures = sys.modules.get("kobai.playground.figures")
    if figures is not None:
        figures.show_all()


def _show_recorded(recording: Recording, lang: str) -> None:
    """The viewer's page, where the program computed anything."""
    try:
        description = model.describe(recording, lang=lang, title=PROGRAM)
    except TypeError:  # nothing to show
        return
    if description["nodes"]:
        showing("graph", page.html(description, lang=lang))


def address(kind: str, data: bytes) -> str:
    """A data URL: an image from it can run no script.

    >>> address("image/png", b"x")
    'data:image/png;base64,eA=='
    """
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


class Stream:
    """What is to be shown, in order and in batches."""

    def __init__(self, show):
        self.send = show
        self.kind, self.waiting = "", []
        self.sent = perf_counter()

    def write(self, kind: str, text: str) -> None:
        """Text to be printed; it is shown together with what follows soon."""
        if kind != self.kind:
            self.flush()
        self.kind = kind
        self.waiting.append(text)
        if perf_counter() - self.sent > EVERY:
            self.flush()

    def show(self, kind: str, text: str) -> None:
        """Show something else, after what was printed before it."""
        self.flush()
        self.send(kind, text)

    def flush(self) -> None:
        """Show what has been printed since the last time."""
        text = "".join(self.waiting)
        self.waiting.clear()
        self.sent = perf_counter()
        if text:
            self.send(self.kind, text)


class Printer(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of the program."""

    def __init__(self, stream: Stream, kind: str):
        self.stream, self.kind = stream, kind

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.stream.write(self.kind, text)
        return len(text)

    def flush(self) -> None:
        self.stream.flush()
