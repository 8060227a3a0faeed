"""Which module of a network an exception came from.

`Module.__call__` catches an exception only to write down that it passed by, innermost module first,
and lets it go on. Nothing happens on a call that succeeds. What was written becomes the last line of
the traceback, e.g. ``in Net.encoder.layers.0: Linear(in_features=5, out_features=2, bias=True)``,
and is available to programs as `modules_of(exc)` and `path_of(exc)`.
"""
from __future__ import annotations

_PREFIX = "in "


class Passed(list):
    """The modules whose calls an exception has left, innermost first; none of them goes into a pickle."""

    def __reduce__(self):
        return Passed, ()


def blame(exc: BaseException, module) -> None:
    """Note that `exc` is leaving a call of `module`."""
    passed = modules_of(exc)
    passed.append(module)
    try:
        exc.__kobai_modules__ = passed
        if len(passed) > 1 and exc.__notes__[-1].startswith(_PREFIX):
            exc.__notes__.pop()         # the same note with a shorter path
        exc.add_note(_note(passed))
    except Exception:
        pass        # an exception that takes no attributes, a repr that fails: never hide the real one


def modules_of(exc: BaseException) -> list:
    """The modules whose calls `exc` has left, innermost first."""
    found = getattr(exc, "__kobai_modules__", None)
    return Passed() if found is None else found


def path_of(exc: BaseException) -> str:
    """The dotted path of the innermost module that `exc` came from, starting with the outermost one's class.

    >>> net = kobai.nn.Sequential(kobai.nn.ReLU(), kobai.nn.Linear(5, 2))
    >>> try:
    ...     net(kobai.ones(4, 3))
    ... except RuntimeError as exc:
    ...     print(kobai.nn.blame.path_of(exc))
    Sequential.1
    """
    return _path(modules_of(exc))


def _path(passed: list) -> str:
    if not passed:
        return ""
    parts = [type(passed[-1]).__name__]
    for child, parent in zip(passed[-2::-1], passed[:0:-1]):
        parts.append(name_in(parent, child))
    return ".".join(parts)


def name_in(parent, child) -> str:
    """The name of a module in the one that calls it; of one that is not registered there, its class."""
    for name, module in parent.named_modules():
        if module is child and name:
            return name
    return type(child).__name__


def _note(passed: list) -> str:
    text = repr(passed[0])
    if "\n" in text or len(text) > 100:
        text = type(passed[0]).__name__
    return f"{_PREFIX}{_path(passed)}: {text}"
