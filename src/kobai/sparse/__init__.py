"""Sparse tensors: coordinates and values (COO), and matrices with compressed rows or columns (CSR, CSC).

A sparse Tensor holds a `Coo` or `Compressed` where others hold a NumPy array: it is a lifted value like those
of vmap, so ops come to it through `interpret` in rules.py, and gradients through their usual rules.
"""
from __future__ import annotations

from ..public import names as _names
from . import functions as _functions

globals().update(_names["sparse"])
