"""What is new in a description since the last one: a running program's page gets only that (`web/src/changes.ts`).

A change is [value], which takes the old one's place, or {key: change} for dictionaries (a key that is gone changes to
[None]) and, with the new length under "#", for lists of things that have parts themselves.
"""

from __future__ import annotations

from typing import Any


def changes(old: Any, new: Any) -> list | dict | None:
    """The change from `old` to `new`, None if they are equal.

    >>> changes({"a": 1, "b": [{"c": 1}, {"c": 2}]}, {"a": 1, "b": [{"c": 1}, {"c": 3}, {"c": 4}]})
    {'b': {'#': 3, '1': {'c': [3]}, '2': [{'c': 4}]}}
    """
    if old == new:
        return None
    if isinstance(old, dict) and isinstance(new, dict):
        gone = {key: [None] for key in old if key not in new}
        news = {key: changes(old[key], value) if key in old else [value] for key, value in new.items()}
        return gone | {key: change for key, change in news.items() if change is not None}
    if isinstance(old, list) and isinstance(new, list) and new and isinstance(new[0], dict):
        found: dict[str, Any] = {"#": len(new)}
        for i, value in enumerate(new):
            change = changes(old[i], value) if i < len(old) else [value]
            if change is not None:
                found[str(i)] = change
        return found
    return [new]
