"""Which language kobai speaks to this reader."""

from __future__ import annotations

import locale
import os


def language() -> str:
    """Either "ja" or "en": what KOBAI_LANG says, else what the system is set to.

    >>> language() in ("ja", "en")
    True
    """
    for variable in ("KOBAI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if setting := os.environ.get(variable):
            return "ja" if setting.lower().startswith("ja") else "en"
    # Windows sets none of these; its name for the language is "Japanese_Japan".
    system = locale.getlocale()[0] if os.name == "nt" else None
    return "ja" if (system or "").lower().startswith("ja") else "en"
