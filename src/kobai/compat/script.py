"""Run a program as Python would, as `__main__`, and show its errors without frames that are not its own."""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery
import importlib.util
import linecache
import os
import sys
import zipfile
from collections.abc import Callable
from types import CodeType, ModuleType, TracebackType

from kobai.diagnose.language import language

_COMPAT = os.path.dirname(os.path.abspath(__file__)) + os.sep
_KOBAI = os.path.dirname(os.path.dirname(_COMPAT)) + os.sep
# This file and the import hook: never of interest, not even to who works on the engine.
_MACHINERY = tuple(_COMPAT + name for name in ("script.py", "hook.py", "missing.py", "torch.py"))
_NOTE = {
    "en": "(frames inside kobai not shown: {}; KOBAI_TRACEBACK=full shows them)",
    "ja": "(kobai 内部のフレームを {} 個省略しました。KOBAI_TRACEBACK=full で表示されます)",
}


def run_file(path: str, arguments: list[str]) -> int:
    """`python path arguments`, where path may be a folder or zip file too. Returns the exit status."""
    if os.path.isdir(path) or zipfile.is_zipfile(path):
        _first_on_path(os.path.abspath(path))
        spec = importlib.machinery.PathFinder.find_spec("__main__", [sys.path[0]])
        if spec is None:
            return _cannot_run(f"{path!r} has no __main__.py")
        return _run(lambda: _load_code(spec), [path, *arguments], spec)
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        return _cannot_run(f"cannot open {path!r}: {error.strerror}")
    full = os.path.abspath(path)
    _first_on_path(os.path.dirname(os.path.realpath(path)))
    return _run(lambda: compile(source, full, "exec", dont_inherit=True), [path, *arguments], file=full)


def run_stdin(arguments: list[str]) -> int:
    """`python - arguments`: the program is what standard input holds. Returns the exit status."""
    source = sys.stdin.read()
    _first_on_path("")
    name = "<stdin>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return _run(lambda: compile(source, name, "exec", dont_inherit=True), ["-", *arguments], file=name)


def run_module(name: str, arguments: list[str]) -> int:
    """`python -m name arguments`. Returns the exit status."""
    _first_on_path(os.getcwd())
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(name + ".__main__")
            name += ".__main__"
    except ModuleNotFoundError as error:
        return _cannot_run(str(error))
    if spec is None:
        return _cannot_run(f"No module named {name}")
    return _run(lambda: _load_code(spec), [spec.origin or name, *arguments], spec)


def _cannot_run(reason: str) -> int:
    print(f"kobai run: {reason}", file=sys.stderr)
    return 2


def _first_on_path(folder: str) -> None:
    """Put the program's folder where Python put the folder of the `kobai` command (or nothing, with `-P`)."""
    if not sys.flags.safe_path:
        sys.path[0] = folder


def _load_code(spec) -> CodeType:
    code = spec.loader.get_code(spec.name)
    if code is None:
        from kobai.diagnose import error  # noqa: PLC0415  (only for a mistake: it needs what stands above)

        raise error("file", ImportError(f"No code object available for {spec.name}", name=spec.name),
                    path=spec.origin or spec.name, why="Python has no source of it that could run as a program",
                    fix="name a .py file, a folder with a __main__.py, or a module that is written in Python.")
    return code


def _loader(file: str):
    """What Python says has loaded a program; for one from standard input it is nothing that has a source."""
    if file == "<stdin>":
        return importlib.machinery.BuiltinImporter
    return importlib.machinery.SourceFileLoader("__main__", file)


def _run(code: Callable[[], CodeType], argv: list[str], spec=None, file: str = "") -> int:
    """Execute a program as `__main__`; what it raises is shown, and becomes the exit status."""
    sys.argv[:] = argv
    main = ModuleType("__main__")
    if spec is not None:
        loader, file, package, cached = spec.loader, spec.origin, spec.parent, spec.cached
    else:
        loader, package, cached = _loader(file), None, None
    main.__dict__.update(__builtins__=builtins, __loader__=loader, __spec__=spec)
    main.__dict__.update(__file__=file, __package__=package, __cached__=cached)
    sys.modules["__main__"] = main  # and it stays: threads, atexit functions and pickles look there
    try:
        exec(code(), main.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        from kobai.diagnose.hints import explain  # noqa: PLC0415  (only an error pays for it)
        explain(error)
        _hide_frames(error)
        sys.excepthook(type(error), error, error.__traceback__)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _hide_frames(error: BaseException) -> None:
    """Take the frames of this file, and of kobai's inside, out of an exception and those behind it.

    A reader wants the line of the program. Who works on kobai sets KOBAI_TRACEBACK=full.
    """
    full = os.environ.get("KOBAI_TRACEBACK") == "full"
    seen: set[int] = set()
    chain: BaseException | None = error
    while chain is not None and id(chain) not in seen:
        seen.add(id(chain))
        hidden = _filter_traceback(chain, _is_machinery if full else _is_inside)
        if hidden:
            chain.add_note(_NOTE[language()].format(hidden))
        chain = chain.__cause__ or chain.__context__


def _filter_traceback(error: BaseException, drop: Callable[[str], bool]) -> int:
    """Rebuild an exception's traceback without some files' frames; returns how many of the engine's went."""
    entries = []
    entry = error.__traceback__
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    files = [e.tb_frame.f_code.co_filename for e in entries]
    hidden = [drop(file) for file in files]
    # The import system's frames go with those that they led to, and with those that led to them.
    for i in range(1, len(files)):
        hidden[i] |= hidden[i - 1] and _is_importlib(files[i])
    for i in reversed(range(len(files) - 1)):
        hidden[i] |= hidden[i + 1] and _is_importlib(files[i])
    kept: TracebackType | None = None
    for entry, hide in reversed(list(zip(entries, hidden))):
        if not hide:
            kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    error.__traceback__ = kept
    return sum(hide and _is_inside(file) and not _is_machinery(file) for file, hide in zip(files, hidden))


def _is_importlib(filename: str) -> bool:
    return filename.startswith("<frozen importlib") or filename == importlib.__file__


def _is_machinery(filename: str) -> bool:
    return filename in _MACHINERY


def _is_inside(filename: str) -> bool:
    return filename.startswith(_KOBAI)
