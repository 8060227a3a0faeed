"""torch.types: names for annotations."""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import IO, TypeAlias

from .devices import device
from .dtypes import dtype
from .ops.storage import TypedStorage as Storage, UntypedStorage
from .tensor import Size, Tensor

Number: TypeAlias = int | float | bool
Device: TypeAlias = device | str | int | None
FileLike: TypeAlias = str | os.PathLike[str] | IO[bytes]
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]
_dtype, _device, _int, _float, _bool = dtype, device, int, float, bool
_size: TypeAlias = Size | list[int] | tuple[int, ...]

__all__ = ["Device", "FileLike", "Number", "Storage", "UntypedStorage"]
