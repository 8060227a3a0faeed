"""`keras.layers.InputSpec`: which tensors a layer takes."""
from __future__ import annotations

from ....diagnose import error
from .. import nest


class InputSpec:
    """Limits to the shape and dtype of an input."""

    def __init__(self, dtype=None, shape=None, ndim=None, max_ndim=None, min_ndim=None, axes=None,
                 allow_last_axis_squeeze=False, name=None, optional=False):
        self.dtype, self.shape, self.max_ndim, self.min_ndim = dtype, shape, max_ndim, min_ndim
        self.ndim = len(shape) if shape is not None else ndim
        self.axes = {int(k): int(v) for k, v in (axes or {}).items()}
        self.name = name

    def __repr__(self):
        parts = [f"dtype={self.dtype}" if self.dtype else "", f"shape={self.shape}" if self.shape else "",
                 f"ndim={self.ndim}" if self.ndim else "", f"max_ndim={self.max_ndim}" if self.max_ndim else "",
                 f"min_ndim={self.min_ndim}" if self.min_ndim else "", f"axes={self.axes}" if self.axes else ""]
        return f"InputSpec({', '.join([p for p in parts if p])})"


def check_inputs(spec, inputs, layer_name):
    """Raise ValueError, as Keras does, unless the inputs fit."""
    specs, values = nest.flatten(spec), nest.flatten(inputs)
    if len(specs) != len(values):
        if isinstance(spec, InputSpec):
            return
        raise error("argument-count",
                    ValueError(f"Layer '{layer_name}' expected {len(specs)} input(s). Received {len(values)} instead."),
                    what="the list of inputs", count=len(values), need="{n}", n=len(specs))
    for i, (s, x) in enumerate(zip(specs, values)):
        if s is not None and hasattr(x, "shape"):
            reason = _misfit(s, tuple(x.shape))
            if reason:
                raise error("tensor-shape",
                            ValueError(f"Input {i} with name 'None' of layer '{layer_name}' is incompatible with the layer: "
                                       f"{reason}"),
                            what="the input", shape=tuple(x.shape), want="what the layer was built for",
                            why="the layer was built for inputs of another shape: {reason}.", reason=reason,
                            fix="look at the line that makes the input, and at model.summary(); is the batch dimension there?")


def _misfit(s, shape):
    if s.ndim is not None and len(shape) != s.ndim:
        return f"expected ndim={s.ndim}, found ndim={len(shape)}. Full shape received: {shape}"
    if s.max_ndim is not None and len(shape) > s.max_ndim:
        return f"expected max_ndim={s.max_ndim}, found ndim={len(shape)}"
    if s.min_ndim is not None and len(shape) < s.min_ndim:
        return f"expected min_ndim={s.min_ndim}, found ndim={len(shape)}. Full shape received: {shape}"
    for axis, value in s.axes.items():
        if value is not None and shape[axis] not in (value, None):
            return (f"expected axis {axis} of input shape to have value {value}, but received input with shape "
                    f"{shape}")
    if s.shape is not None:
        for want, have in zip(s.shape, shape):
            if want is not None and have is not None and want != have:
                return f"expected shape={tuple(s.shape)}, found shape={shape}"
    return ""
