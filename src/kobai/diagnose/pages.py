"""`kobai help K101`: the page of an error, made from the catalogue and its example, without a network."""
from __future__ import annotations

import contextlib
import io
import linecache
import re
import warnings

import numpy as np

import kobai
from kobai import nn, optim

from .catalogue import CATALOGUE
from .entry import Entry
from .examples import EXAMPLES
from .told import spoken

_say = spoken({
    "wrong": ("A program that makes the mistake:", "間違った例:"),
    "says": ("What it says:", "表示されるエラー:"),
    "right": ("The same without it:", "直した例:"),
    "all": ("The errors that kobai explains. `kobai help K101` shows one in full, with a wrong and a mended program.",
            "kobai が説明するエラーの一覧です。`kobai help K101` で、間違った例と直した例を表示します。"),
    "unknown": ("There is no error {code}. `kobai help` lists them all.",
                "{code} というエラーはありません。`kobai help` で一覧を表示します。"),
})


def entry_numbered(number: str) -> Entry | None:
    """The entry with a stable number, or None.

    >>> entry_numbered("k103").type
    <class 'RuntimeError'>
    """
    return next((e for e in CATALOGUE.values() if e.number == number.upper()), None)


def run_example(program: str, name: str) -> str | None:
    """What an example raises or warns about, as text; None if it runs through."""
    linecache.cache[name] = (len(program), None, program.splitlines(keepends=True), name)
    scope = {"torch": kobai, "nn": nn, "F": nn.functional, "np": np, "optim": optim, "__name__": "example"}
    with warnings.catch_warnings(record=True) as heard, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            exec(compile(program, name, "exec"), scope)
        except Exception as e:  # whatever it is, it is what the page shows
            return f"{type(e).__name__}: {e}"
        finally:
            linecache.cache.pop(name, None)
    said = [w for w in heard if "[K" in str(w.message)]
    return f"{said[0].category.__name__}: {said[0].message}" if said else None


def page(number: str) -> str:
    """The page of one error in the reader's language.

    Raises KeyError if there is no such error.

    >>> print(page("K111").split("\\n")[0])
    K111  RuntimeError
    """
    number = number.upper()
    entry = entry_numbered(number)
    if entry is None:
        raise KeyError(_say("unknown", code=number))  # plain: the command shows it
    wrong, right = EXAMPLES[number]
    says = run_example(wrong, f"{number}.py") or f"{entry.type.__name__}: {entry.first}"
    return "\n".join([f"{number}  {says.partition(':')[0]}", "", _say("wrong"), "", _indented(wrong), "", _say("says"), "",
                      _indented(says), "", _say("right"), "", _indented(right), ""])


def contents() -> str:
    """One line for each error."""
    lines = [_say("all"), ""]
    for entry in sorted(CATALOGUE.values(), key=lambda e: e.number):
        first = re.sub(r"\{\w+\}", "...", entry.first.split("\n")[0])
        lines.append(f"{entry.number}  {first if len(first) < 96 else first[:93] + '...'}")
    return "\n".join([*lines, ""])


def _indented(text: str) -> str:
    return "\n".join("    " + line if line else "" for line in text.split("\n"))


def help_command(arguments: list[str]) -> int:
    """`kobai help [CODE ...]`: print pages; 2 if a code is not known."""
    if not arguments:
        print(contents(), end="")
        return 0
    for code in arguments:
        try:
            print(page(code))
        except KeyError as e:
            print(f"kobai: {e.args[0]}")
            return 2
    return 0
