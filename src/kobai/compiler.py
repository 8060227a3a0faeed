"""torch.compiler: what a program tells the compiler, and asks it."""
from __future__ import annotations

import contextlib

from . import compile as compile

__all__ = ["allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable",
           "is_compiling", "is_dynamo_compiling", "is_exporting", "list_backends", "reset", "set_stance"]


def is_compiling():
    """Whether this runs to be captured: no, what is captured runs as it always does."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn=None, recursive=True, *, reason=None):
    """The function itself: whatever cannot be compiled runs as it is. With or without parentheses."""
    return fn if fn is not None else lambda function: function


def allow_in_graph(fn):
    """The function itself: it is looked into and compiled with the rest."""
    return fn


assume_constant_result = allow_in_graph


def reset():
    """Forget nothing: a compiled function belongs to whoever holds it."""


def cudagraph_mark_step_begin():
    """Nothing to mark on the CPU."""


def set_stance(stance="default", *, skip_guard_eval_unsafe=False, force_backend=None):
    """A context manager, or decorator: how eagerly to compile. Compiled functions give what they give eagerly, always."""
    return _Stance()


class _Stance(contextlib.ContextDecorator):
    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return False


def list_backends(exclude_tags=("debug", "experimental")):
    """The compilers there are.

    >>> kobai.compiler.list_backends()
    ['kobai']
    """
    return ["kobai"]
