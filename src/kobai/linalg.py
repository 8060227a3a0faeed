"""Functions of torch.linalg: each is defined with its op in kobai/ops."""
from __future__ import annotations

from .ops.decompose import LinAlgError as LinAlgError
from .public import names as _names

globals().update(_names.get("linalg", {}))
