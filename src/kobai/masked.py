"""Functions of torch.masked: defined in kobai/ops/masked.py."""
from __future__ import annotations

from .public import names as _names

globals().update(_names.get("masked", {}))
