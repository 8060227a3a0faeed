"""`error(code, ...)` makes the exception of a catalogue entry, with its text in the reader's language."""
from __future__ import annotations

import sys
import warnings

from .catalogue import CATALOGUE
from .facts import gather
from .frames import here, show, user_frame
from .language import language

_LABELS = {"en": ("cause", "here", "fix"), "ja": ("原因", "場所", "対処")}


class _Text(dict):
    """Facts by name; one that could not be found out is a question mark, never another error."""

    def __missing__(self, key):
        return "?"


def error(code, **info):
    """The exception of the entry `code`, to be raised: `raise error("inplace-leaf", tensor=t)`.

    Its attribute `code` is the entry's stable number.
    """
    entry = CATALOGUE[code]
    e = entry.type(text(code, info))
    e.code = entry.number
    return e


def warn(code, **info):
    """Issue the warning of the entry `code` at the user's line."""
    entry = CATALOGUE[code]
    depth, frame = 1, sys._getframe()
    mine = user_frame()
    while frame is not None and frame is not mine:
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text(code, info), entry.type, stacklevel=depth)


def text(code, info):
    """First line, cause, the user's line, fix and number."""
    entry, lang = CATALOGUE[code], language()
    facts = _Text(gather(code, info))
    cause, place, fix = _LABELS[lang]
    which = 1 if lang == "ja" else 0
    lines = [entry.first.format_map(facts), f"  {cause}: {entry.cause[which].format_map(facts)}"]
    line = show(here())
    if line:
        lines.append(f"  {place}: {line}")
    lines.append(f"  {fix}: {entry.fix[which].format_map(facts)}")
    lines.append(f"  [{entry.number}]")
    return "\n".join(lines)
