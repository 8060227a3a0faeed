"""Which language kobai speaks to this reader."""

from __future__ import annotations

import os


def language() -> str:
    """Either "ja" or "en": what KOBAI_LANG says, else what the system is set to.

    >>> language() in ("ja", "en")
    True
    """
    for variable in ("KOBAI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if setting := os.environ.get(variable):
            return "ja" if setting.lower().startswith("ja") else "en"
    return "ja" if os.name == "nt" and _windows().startswith("ja") else "en"


def _windows():
    """Windows sets none of these; its name for the language is "Japanese_Japan"."""
    import locale  # noqa: PLC0415  (nobody else needs it)
    return (locale.getlocale()[0] or "").lower()
