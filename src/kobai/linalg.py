"""Functions of torch.linalg: each is defined with its op in kobai/ops."""
from __future__ import annotations

from .public import names as _names


class LinAlgError(RuntimeError):
    """A matrix that cannot be factorised or inverted."""


globals().update(_names.get("linalg", {}))
