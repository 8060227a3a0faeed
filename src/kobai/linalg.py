"""Functions of torch.linalg: each is defined with its op in kobai/ops."""
from __future__ import annotations

from .later import attributes as _attributes
from .ops.decompose import LinAlgError as LinAlgError
from .public import names as _names

__getattr__, __dir__ = _attributes(_names, "linalg", globals())
