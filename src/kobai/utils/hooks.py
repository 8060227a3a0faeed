"""torch.utils.hooks: what `register_hook` and its kin give back, of tensors and of modules."""
from ..autograd.node import Hook as RemovableHandle

__all__ = ["RemovableHandle"]
