"""`error(code, ...)` makes the exception of a catalogue entry, with its text in the reader's language."""
from __future__ import annotations

import re
import sys
import warnings

from .facts import gather, places, shown
from .frames import here, show, user_frame
from .language import language

_LABELS = {
    "en": {"cause": "cause", "here": "here", "fix": "fix", "saved": "saved at", "changed": "changed at",
           "recorded": "recorded at", "first": "first backward at", "cut": "cut off at",
           "module": "module", "origin": "{size} comes from"},
    "ja": {"cause": "原因", "here": "ここ", "fix": "対処", "saved": "保存した行", "changed": "上書きした行",
           "recorded": "記録した行", "first": "一度目の backward", "cut": "切り離した行",
           "module": "モジュール", "origin": "{size} の出どころ"},
}


def entry_of(code):
    """The entry of the catalogue, which is read when the first error needs it."""
    from .catalogue import CATALOGUE  # noqa: PLC0415  (0.4 ms that `import kobai` need not take)
    return CATALOGUE[code]


# names; where a thing has none, a phrase stands in place of it
WORDS = ("what", "other", "kind", "cls", "where", "path", "text", "want", "layout", "reason", "detail")


class _Text(dict):
    """Facts by name; one that could not be found out is a question mark, never another error."""

    def __missing__(self, key):
        return "?"


def error(code, plain=None, /, **info):
    """The exception of the entry `code`, to be raised: `raise error("inplace-leaf", tensor=t)`.

    For a kind of mistake (catalogue_kinds.py) `plain` is the exception with PyTorch's words, to which the
    explanation is added. The attribute `code` is the entry's stable number.
    """
    entry = entry_of(code)
    if plain is None:
        e = entry.type(text(code, info))
    else:
        e = plain
        e.args = (_said(e, text(code, info, str(e.args[0]))), *e.args[1:])
        if isinstance(e, ImportError):
            e.msg = e.args[0]
    e.code = entry.number
    return e


class _Readable(str):
    """A KeyError shows its text as Python would write it, "\\n" and all; this one is shown as it is."""

    __slots__ = ()
    __repr__ = str.__str__


def _said(e, words):
    return _Readable(words) if isinstance(e, KeyError) else words


def warn(code, **info):
    """Issue the warning of the entry `code` at the user's line."""
    warnings.warn(text(code, info), entry_of(code).type, stacklevel=user_level())


def user_level():
    """The stacklevel with which the caller's warning is at the user's line, however many frames of kobai lie between."""
    depth, frame = 1, sys._getframe(1)
    mine = user_frame()
    while frame is not None and frame is not mine:
        frame, depth = frame.f_back, depth + 1
    return depth


def text(code, info, first=None):
    """First line, cause, the user's line, fix and number. `first` is the first line where the entry has none."""
    entry, lang = entry_of(code), language()
    facts, labels, which = _Text(gather(code, info)), _LABELS[lang], 1 if lang == "ja" else 0
    if first is None:
        first, cause, fix = entry.first.format_map(facts), entry.cause[which], entry.fix[which]
    else:
        cause, fix = _explained(entry, which, info, facts)
    lines = [first, f"  {labels['cause']}: {cause.format_map(facts)}"]
    lines += [f"  {label}: {where}" for label, where in _in_network(info, facts, labels)]
    for what, where in [*places(code, info), ("here", here())]:
        shown = show(where)
        if shown:
            lines.append(f"  {labels[what]}: {shown}")
    lines.append(f"  {labels['fix']}: {fix.format_map(facts)}")
    lines.append(f"  [{entry.number}]  kobai help {entry.number}")
    return "\n".join(lines).replace("このテンソル ", "このテンソル")


def _explained(entry, which, info, facts):
    """Cause and fix of a kind of mistake; phrases among the facts are put into the reader's language."""
    from .phrases import NAMES, phrase, word  # noqa: PLC0415  (read when the first error needs it)
    if isinstance(info.get("shape"), tuple):
        facts["ndim"] = str(len(info["shape"]))
    facts |= {key: shown(value, key == "value") for key, value in info.items() if key not in NAMES}
    facts |= {key: word(facts[key]) for key in WORDS if isinstance(info.get(key), str)}
    for key in NAMES:
        if key in info:
            facts[key] = phrase(info[key]).format_map(facts)
    cause = "{why}" if "why" in info and "{why}" not in entry.cause[which] else entry.cause[which]
    fix = "{fix}" if "fix" in info else entry.fix[which]
    return (_spaced(cause, facts), _spaced(fix, facts)) if which else (cause, fix)


def _spaced(template, facts):
    """In Japanese, spaces where Latin letters or digits begin or end, and none between Japanese words."""
    for key in (*WORDS, "need"):
        if not facts.get(key, "a")[-1:].isascii():
            template = template.replace(f"{{{key}}} ", f"{{{key}}}")
        if not facts.get(key, "a")[:1].isascii():
            template = re.sub(rf"(?<=[^\x00-\x7f]) \{{{key}\}}", f"{{{key}}}", template)
    if not facts.get("need", "a")[:1].isascii():
        template = template.replace(" {need}", "{need}")
    must = facts.get("must")
    if must and must[0].isascii():
        template = re.sub(r"(?<=[^\s、。])\{must\}", " {must}", template)
    if must and must[-1].isascii():
        template = re.sub(r"\{must\}(?=[^\s、。])", "{must} ", template)
    return template


def _in_network(info, facts, labels):
    """(label, text) of the module an error happened in, and of what made the dimensions that do not fit."""
    from .origin import grown, module_path, modules_here, origin  # noqa: PLC0415  (it needs what stands above)
    modules = modules_here()
    if modules:
        yield labels["module"], module_path(modules)
    for tensor, size in grown(info, facts):
        made = origin(tensor, modules)
        if made:
            yield labels["origin"].format(size=size), made
