"""Errors inside `call`, as Keras shows them: which layer was called, and with what."""
from __future__ import annotations

import inspect

from .. import nest
from ..errors import OpError
from ..values import is_tensor_like
from .symbolic import KerasTensor


def report(layer, error, args, kwargs):
    """Raise `error` again with the layer and its arguments in the text; once, for the innermost layer."""
    if getattr(error, "_call_is_known", False):
        raise error
    name = f"{type(layer).__name__}.call()"
    text = error.message if isinstance(error, OpError) else str(error.args[0]) if isinstance(error, KeyError) \
        and error.args else str(error)
    text = f"Exception encountered when calling {name}.\n\n\x1b[1m{text}\x1b[0m{_arguments(layer, name, args, kwargs)}"
    if isinstance(error, OpError):
        new = type(error)(error.node_def, error.op, text, error.error_code)
    else:
        try:
            new = type(error)(text)
        except TypeError:
            new = RuntimeError(text)
    new._call_is_known = True
    if "code" in vars(error):  # its number in the catalogue
        new.code = error.code
    raise new.with_traceback(error.__traceback__) from None


def _arguments(layer, name, args, kwargs):
    try:
        bound = inspect.signature(layer.call).bind(*args, **kwargs)
    except TypeError:
        return ""
    lines = [f"  • {p}={_shown(bound.arguments.get(p, q.default))}"
             for p, q in inspect.signature(layer.call).parameters.items()]
    return "\n\nArguments received by " + name + ":\n" + "\n".join(lines) if lines else ""


def _shown(value):
    if isinstance(value, (list, tuple, dict)):
        return nest.map_structure(lambda v: str(_shown(v)), value)
    if isinstance(value, KerasTensor) or not is_tensor_like(value):
        return value
    return f"tf.Tensor(shape={tuple(value.shape)}, dtype={getattr(value.dtype, 'name', value.dtype)})"
