"""Making a module without spending time on its starting values."""
from __future__ import annotations

import inspect
from typing import Any

from ... import get_rng_state, set_rng_state
from ...diagnose import error
from ..module import Module


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """A module whose parameters have arbitrary values, for values that will be loaded.

    The random number generator is left as it was found.

    >>> kobai.nn.utils.skip_init(kobai.nn.Linear, 5, 1)
    Linear(in_features=5, out_features=1, bias=True)
    """
    if not issubclass(module_cls, Module):
        raise error("argument-type", RuntimeError(f"Expected a Module; got {module_cls}"), what="module_cls",
                    kind=module_cls, must="a class of modules, such as nn.Linear")
    if "device" not in inspect.signature(module_cls).parameters:
        raise error("call-form", RuntimeError("Module must support a 'device' arg to skip initialization"),
                    name=module_cls,
                    why="{name}.__init__() has no argument device, through which a layer is made without values.",
                    fix="make the layer as usual, {name}(...), or give its __init__ the argument device.")
    state = get_rng_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        set_rng_state(state)
