"""Functions of torch.masked: defined in kobai/ops/masked.py."""
from __future__ import annotations

from .later import attributes as _attributes
from .public import names as _names

__getattr__, __dir__ = _attributes(_names, "masked", globals())
