"""What one entry of the catalogue of errors is."""
from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One error: `number` is stable; texts are templates."""

    number: str
    type: type
    first: str
    cause: tuple[str, str]  # (English, Japanese)
    fix: tuple[str, str]
