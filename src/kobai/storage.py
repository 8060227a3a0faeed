"""torch.storage: the memory behind tensors."""
from .ops.storage import TypedStorage as TypedStorage, UntypedStorage as UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]
