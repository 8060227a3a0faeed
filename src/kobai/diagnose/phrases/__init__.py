"""Phrases in the errors of `catalogue_kinds.py`, by their English text: what a Japanese reader sees instead.

One file for each part of the package whose errors use them.
"""
from __future__ import annotations

from ..language import language
from .chances import CHANCES
from .common import COMMON
from .compat import COMPAT
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
