"""Placeholders for tensors of a shape and dtype, and the nodes between them: what functional models are made of."""
from __future__ import annotations

import functools
import threading

import numpy as np

from ....diagnose import error
from ....tensor import wrap
from .. import dtypes, nest
from ..recording import pause
from ..tensors import box
from ..tracing import running
from . import naming


class KerasTensor:
    """A tensor that is not there yet: `Input(...)`, or what a layer makes of one."""

    _is_symbolic = True
    __array_priority__ = 200

    def __init__(self, shape, dtype="float32", sparse=False, ragged=False, record_history=True, name=None):
        self.shape = tuple([None if s is None else int(s) for s in shape])
        self.dtype = dtypes.as_dtype(dtype).name
        self.name = name or naming.auto_name("keras_tensor")
        self.node = self.index = None

    ndim = property(lambda self: len(self.shape))
    _keras_history = property(lambda self: (self.node.operation, 0, self.index))

    def __repr__(self):
        return (f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse=False, ragged=False, name={self.name}>")

    def __array__(self, *args, **kwargs):
        raise error("not-possible",
                    ValueError("A KerasTensor is symbolic: it's a placeholder for a shape an a dtype. It doesn't have any "
                               "actual numerical value. You cannot convert it to a NumPy array."),
                    why="it stands for what the model will get; there are no numbers yet.",
                    fix="call the finished model on an array, or put the computation into a layer.")

    def __tf_tensor__(self, dtype=None):
        raise error("not-possible", ValueError(
            "A KerasTensor cannot be used as input to a TensorFlow function. A KerasTensor is a symbolic placeholder "
            "for a shape and dtype, used when constructing Keras Functional models or Keras Functions. You can only "
            "use it as input to a Keras layer or a Keras operation (from the namespaces `keras.layers` and "
            "`keras.ops`)."),
            why="it stands for what the model will get; there are no numbers yet.",
            fix="use the function of that name in keras.ops, or put it into a layer: keras.layers.Lambda(lambda x: ...).")

    def __iter__(self):
        raise error("not-possible", TypeError("Iterating over a symbolic KerasTensor is not supported."),
                    why="it stands for what the model will get; there are no numbers yet.",
                    fix="take parts of it by index, or keras.ops.unstack(x).")

    def __bool__(self):
        raise error("not-possible", TypeError("A symbolic KerasTensor cannot be used as a boolean."),
                    why="it stands for what the model will get; there are no numbers yet.",
                    fix="keras.ops.where(condition, a, b) chooses element by element.")

    def __len__(self):
        return self.shape[0]

    def __hash__(self):
        return id(self)

    def __getitem__(self, index):
        return apply(lambda x: x[index], "get_item", self)


def _broadcast(a, b):
    """Raise ValueError, as Keras does, unless the shapes of two operands broadcast."""
    a, b = list(a.shape), list(getattr(b, "shape", ()))
    for x, y in zip(reversed(a), reversed(b)):
        if x != y and None not in (x, y) and 1 not in (x, y):
            raise error("shapes-differ",
                        ValueError(f"Cannot broadcast shape, the failure dim has value {x}, which cannot be broadcasted to {y}. "
                                   f"Input shapes are: {a} and {b}."),
                        what="the first", shape=tuple(a), other="the second", other_shape=tuple(b),
                        must="sizes must be equal, or 1")


def _operator(name, dunder):
    def forward(self, other):
        if name != "matmul":
            _broadcast(self, other)
        return apply(lambda a, b: getattr(a, dunder)(b), name, self, other)
    return forward


def _reversed(name, dunder):
    def backward(self, other):
        return apply(lambda a, b: getattr(a, dunder)(b), name, self, other)
    return backward


for _name, _dunder in {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv", "power": "pow",
                       "floor_divide": "floordiv", "mod": "mod", "matmul": "matmul"}.items():
    setattr(KerasTensor, f"__{_dunder}__", _operator(_name, f"__{_dunder}__"))
    setattr(KerasTensor, f"__r{_dunder}__", _reversed(_name, f"__r{_dunder}__"))
for _name, _dunder in {"less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge"}.items():
    setattr(KerasTensor, f"__{_dunder}__", _operator(_name, f"__{_dunder}__"))
for _name, _dunder in {"negative": "neg", "absolute": "abs"}.items():
    setattr(KerasTensor, f"__{_dunder}__",
            lambda self, n=_name, d=f"__{_dunder}__": apply(lambda a: getattr(a, d)(), n, self))


def has_symbols(*structures):
    """Whether there is a KerasTensor in nested values."""
    return any(isinstance(v, KerasTensor) for s in structures for v in nest.flatten(s))


class Operation:
    """Something that can be called on tensors and placeholders; it has a name and a node for each symbolic call."""

    def __init__(self, name=None):
        self.name = name or naming.auto_name(type(self).__name__)
        self._inbound_nodes = []


class _Applied(Operation):
    """A function on placeholders."""

    built = True
    trainable = False
    weights = trainable_weights = non_trainable_weights = variables = losses = metrics = ()

    def __init__(self, fn, name):
        self.fn = fn
        super().__init__(naming.auto_name(name))

    def __call__(self, *args, **kwargs):
        return self.fn(*args, **kwargs)

    def count_params(self):
        return 0


class Node:
    """One symbolic call: which operation made which outputs of which arguments."""

    def __init__(self, operation, args, kwargs, outputs):
        self.operation, self.args, self.kwargs, self.outputs = operation, args, kwargs, outputs
        self.inputs = [v for v in nest.flatten([args, kwargs]) if isinstance(v, KerasTensor)]
        self.flat_outputs = nest.flatten(outputs)
        for i, t in enumerate(self.flat_outputs):
            t.node, t.index = self, i
        operation._inbound_nodes.append(self)

    def compute(self, known):
        """The outputs for the values of the inputs, by id of their placeholder."""
        args, kwargs = nest.map_structure(
            lambda v: known[id(v)] if isinstance(v, KerasTensor) else v, [list(self.args), self.kwargs])
        for placeholder, v in zip(self.flat_outputs, nest.flatten(self.operation(*args, **kwargs))):
            known[id(placeholder)] = v


def apply(fn, name, *args, **kwargs):
    """Call a function on placeholders (a node of its own), or on values."""
    if not has_symbols(args, kwargs):
        return fn(*args, **kwargs)
    outputs = infer(fn, args, kwargs)
    Node(_operation_of(name)(fn, name), args, kwargs, outputs)
    return outputs


@functools.cache
def _operation_of(name):
    """The class of a function on placeholders, called as in Keras: `Multiply`, `GetItem`."""
    return type("".join([part.capitalize() for part in name.split("_")]), (_Applied,), {})


def works_on_symbols(fn):
    """Decorate a function of tensors so that it takes placeholders too."""
    @functools.wraps(fn)
    def call(*args, **kwargs):
        for v in args:
            if isinstance(v, KerasTensor) or isinstance(v, (list, tuple)) and has_symbols(v):
                return apply(fn, fn.__name__, *args, **kwargs)
        return fn(*args, **kwargs)
    return call


def infer(fn, args, kwargs):
    """Placeholders for what `fn` returns: it is tried on zeros.

    Sizes that are not known are tried as 2 and as 3; a size of the result that changes with them is not known.
    """
    first = _tried(fn, args, kwargs, 2)
    unknown = any(None in v.shape for v in nest.flatten([args, kwargs]) if isinstance(v, KerasTensor))
    with running(silent=True):
        second = _tried(fn, args, kwargs, 3) if unknown else first

    def placeholder(a, b):
        shape = [n if n == k else None for n, k in zip(a.shape, b.shape)]
        return KerasTensor(shape, a.dtype)
    return nest.map_structure(placeholder, first, second)


class _Trial(threading.local):
    """Whether a layer is being tried on placeholders: then seeds and moving averages stay what they are."""

    on = False


trial = _Trial()


def _tried(fn, args, kwargs, size):
    def zeros(v):
        if not isinstance(v, KerasTensor):
            return v
        shape = tuple([size if s is None else s for s in v.shape])
        if v.dtype == "string":
            return box(wrap(np.full(shape, b"", object)))
        return box(wrap(np.zeros(shape, dtypes.as_dtype(v.dtype).np)))
    args, kwargs = nest.map_structure(zeros, [list(args), kwargs])
    before, trial.on = trial.on, True
    try:
        with pause():
            return fn(*args, **kwargs)
    finally:
        trial.on = before


def sorted_nodes(outputs, inputs):
    """The nodes that lead from `inputs` to `outputs`, as they were made; and the operations, in the same order.

    Raises: ValueError if an output depends on a placeholder that is not among the inputs.
    """
    stop, seen, order = {id(t) for t in inputs}, set(), []

    def visit(t):
        if id(t) in stop or id(t.node) in seen:
            return
        if t.node is None or not t.node.inputs:
            raise error("not-possible", ValueError("Output with path `` is not connected to `inputs`"),
                        why="the output depends on {found}, which is not among the inputs, and nothing made it.",
                        found=str(t), fix="name all keras.Input(...) of the graph in inputs=[...].")
        seen.add(id(t.node))
        for source in t.node.inputs:
            visit(source)
        order.append(t.node)
    for t in outputs:
        visit(t)
    return order


def by_depth(outputs, inputs):
    """The operations from inputs to outputs in Keras's order: the farthest from the outputs first."""
    stop, seen, order, done = {id(t) for t in inputs}, {}, [], set()

    def visit(node, is_input):
        if id(node) in done:
            return
        seen.setdefault(id(node.operation), len(seen))
        for source in () if is_input else node.inputs:
            if source.node is not None:
                visit(source.node, id(source) in stop)
        done.add(id(node))
        order.append(node)
    for t in outputs:
        visit(t.node, id(t) in stop)
    ends = {id(t.node) for t in inputs if t.node is not None}
    depths: dict = {}
    operations: dict = {}
    for node in reversed(order):
        depth = max(depths.get(id(node), 0), operations.get(node.operation, 0))
        depths[id(node)] = operations[node.operation] = depth
        for source in () if id(node) in ends else node.inputs:
            if source.node is not None:
                depths[id(source.node)] = max(depth + 1, depths.get(id(source.node), 0))
    for t in inputs:
        if t.node is not None:
            operations.setdefault(t.node.operation, 0)
            seen.setdefault(id(t.node.operation), len(seen))
    return sorted(operations, key=lambda op: (-operations[op], seen[id(op)]))
