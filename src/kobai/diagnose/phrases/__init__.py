"""Phrases in the errors of `catalogue_kinds.py`, by their English text: what a Japanese reader sees instead.

One file for each part of the package whose errors use them.
"""
from __future__ import annotations

from ..language import language
from .chances import CHANCES
from .common import COMMON
from .compat import COMPAT
from .forms import formed
from .layers import LAYERS
from .ops import OPS
from .ops_more import MORE
from .others import OTHERS

NAMES = ("must", "need", "instead", "why", "fix")  # the arguments of `error` that are phrases
JAPANESE = COMMON | OPS | MORE | LAYERS | CHANCES | OTHERS | COMPAT


def phrase(english: str) -> str:
    """The phrase in the reader's language; places for facts stay as they are.

    >>> import os; os.environ["KOBAI_LANG"] = "ja"
    >>> phrase("a positive number")
    '正の数'
    >>> del os.environ["KOBAI_LANG"]
    """
    return JAPANESE.get(english, english) if language() == "ja" else english


def word(english: str) -> str:
    """What stands in place of a name, in the reader's language: a phrase, or one around a name.

    >>> import os; os.environ["KOBAI_LANG"] = "ja"
    >>> word("the hook double"), word("x")
    ('フック double', 'x')
    >>> del os.environ["KOBAI_LANG"]
    """
    said = phrase(english)
    return formed(said) if said is english and language() == "ja" else said
