"""Functions of torch.nn.functional: each is defined with its op in kobai/ops."""
from __future__ import annotations

from ..public import names as _names

globals().update(_names["nn.functional"])
