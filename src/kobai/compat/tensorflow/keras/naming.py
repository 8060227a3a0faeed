"""Names that objects get by themselves: dense, dense_1, ...; and the scopes that lead to a variable."""
from __future__ import annotations

import re
import threading
from collections import Counter

_counts: Counter = Counter()


def snake_case(name):
    """`MaxPooling2D` as max_pooling2d.

    >>> snake_case("MaxPooling2D"), snake_case("LSTM")
    ('max_pooling2d', 'lstm')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix):
    """The prefix the first time, then prefix_1, prefix_2, ..."""
    prefix = snake_case(prefix)
    n = _counts[prefix]
    _counts[prefix] += 1
    return f"{prefix}_{n}" if n else prefix


def uid(prefix):
    """1, 2, 3, ... for each prefix."""
    _counts[prefix] += 1
    return _counts[prefix]


def reset():
    """Count from the beginning again."""
    _counts.clear()


class _Scopes(threading.local):
    names: tuple = ()


_scopes = _Scopes()


class scope:
    """In the block, paths of new variables go through `name` (once, if one object opens it again inside)."""

    def __init__(self, name, owner=None):
        self._entry = name, owner

    def __enter__(self):
        self._before = _scopes.names
        if not (self._before and self._entry[1] is not None and self._before[-1][1] is self._entry[1]):
            _scopes.names = (*self._before, self._entry)

    def __exit__(self, *exc):
        _scopes.names = self._before


def path_to(name):
    """The path of something made here: the open scopes and its name."""
    return "/".join([*[n for n, _ in _scopes.names], name])
