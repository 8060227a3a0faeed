"""Functions of torch.nn.functional: each is defined with its op in kobai/ops."""
from __future__ import annotations

from ..later import attributes as _attributes
from ..public import names as _names

__getattr__, __dir__ = _attributes(_names, "nn.functional", globals())
