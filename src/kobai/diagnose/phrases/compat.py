"""Phrases in the errors of compat/: TensorFlow's names and other faces."""
from __future__ import annotations

COMPAT: dict[str, str] = {
}
