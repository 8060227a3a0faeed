"""`torch.backends.opt_einsum`: the library that einsum asks for the order of products, if it is installed.

Without it the order comes from NumPy; `enabled` and `strategy` are kept and change nothing.
"""

import importlib.util

enabled, strategy = True, "auto"


def is_available() -> bool:
    """Whether opt_einsum is installed."""
    return importlib.util.find_spec("opt_einsum") is not None
