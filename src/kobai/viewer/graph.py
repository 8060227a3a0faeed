"""What tensors and nodes of a recorded graph tell everybody: the same for kobai's and PyTorch's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def is_tensor(value) -> bool:
    """Whether ``value`` is a tensor of kobai or PyTorch, told by what it can do."""
    return hasattr(type(value), "requires_grad") and hasattr(type(value), "grad_fn")


def tensors_in(value) -> list:
    """The tensors of a result: a tensor, or those in tuples, lists and dictionaries.

    >>> tensors_in({"a": [1, "text"]})
    []
    """
    if is_tensor(value):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return [tensor for item in items for tensor in tensors_in(item)]


def saved(fn) -> Iterator[tuple[str, Any]]:
    """(name, value) of what a function saved; nothing once a backward pass has freed it."""
    for attribute in dir(fn):
        if attribute.startswith("_saved_"):
            try:
                yield attribute.removeprefix("_saved_"), getattr(fn, attribute)
            except RuntimeError:  # freed, or overwritten since
                continue


def saved_by_user(fn) -> list:
    """What a function written by the user saved with ``save_for_backward``."""
    try:
        return [t for t in getattr(fn, "saved_tensors", None) or () if t is not None]
    except RuntimeError:  # freed, or overwritten since
        return []


def sources(fn) -> list[tuple]:
    """(function, output number) pairs of what made a function's inputs."""
    return [(source, number) for source, number in getattr(fn, "next_functions", ()) if source is not None]


def inputs_first(roots: list) -> list:
    """All functions that lead to ``roots``, each after those it needs; graphs are deeper than the stack."""
    done: dict = {}  # in order; the functions stay alive, so that their identities stay theirs
    begun = set()
    for root in roots:
        stack = [root]
        while stack:
            fn = stack[-1]
            if fn in begun:
                stack.pop()
                done.setdefault(fn)
            else:
                begun.add(fn)
                stack += [source for source, _ in reversed(sources(fn)) if source not in begun]
    return list(done)
