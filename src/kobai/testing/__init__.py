"""Public tools for tests: `assert_close`, `make_tensor`; and the samples from which the ops' own tests are made."""
import importlib as _importlib

_WHERE = {"assert_close": "compare", "assert_allclose": "compare", "make_tensor": "random_tensors"}
__all__ = ["assert_allclose", "assert_close", "make_tensor"]


def __getattr__(name):
    if name in _WHERE:
        value = globals()[name] = getattr(_importlib.import_module("." + _WHERE[name], __name__), name)
        return value
    raise AttributeError(f"module 'torch.testing' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_WHERE})
