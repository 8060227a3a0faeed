"""One op at a time as machine code: what eager mode does with arrays that are not small.

    run = forward_of(op, (a, b))              # then run(a, b) instead of op.forward(a, b)
    run = backward_of(op, mask, asks, (g, *saved))   # then run(g, *saved) instead of the op's rules

Both return False where there is no machine code (no scalar code, an odd type), and the caller goes on with
NumPy; when they are asked for is decided in `kobai.large`.  A `Program` is one kernel with the callables made
for the arrays it has met: one for contiguous arrays of any size, and one for each other combination of shapes
and strides.
"""

from __future__ import annotations

import os
import warnings
from typing import Literal

import numpy as np

from kobai.backends import ahead, llvm
from kobai.compile.builder import Builder
from kobai.compile.emit import kernel_of, kernel_of_vjp, row_dims
from kobai.compile.kernel import Kernel, NoKernel, numpy_type
from kobai.compile.lower import Layout, broadcast_strides, fit, least_far
from kobai.rules import compiled_rules

_PLANS = 512  # shapes a program remembers


class Program:
    """A kernel for arrays: ``program.call(a, b)`` makes the outputs and runs machine code on them.

    ``dims`` are the dimensions that form a row (None: no rows), dropped from outputs of one value a row
    unless ``keepdim``.  ``order`` is NumPy's for the outputs: "K" as the inputs, or "C".
    """

    def __init__(self, kernel: Kernel, dims=None, keepdim: bool = True, order: Literal["K", "C"] = "K"):
        self.kernel, self.dims, self.keepdim, self.order = kernel, dims, keepdim, order
        self.types = [numpy_type(t) for t in kernel.output_types]
        self.per_row = [kernel.per_row[i] for i in kernel.outputs]
        self.single = len(self.types) == 1
        self.plans: dict = {}
        self.call = self._of_one() if self.single and len(kernel.operands) == 1 else self._by_plan
        if dims is None:
            layout = Layout(("1",) * (len(kernel.operands) + len(self.types)), 1, 0)
            inputs = [numpy_type(o.dtype) for o in kernel.operands]
            address = llvm.compiled(kernel, layout).address
            self.call = llvm.bridge().flat(address, inputs, self.types, self.call)

    def prepare(self, arrays):
        """Compile what these arrays need."""
        shape, far = arrays[0].shape, least_far(len(self.kernel.operands) + len(self.types))
        if self.dims is not None or arrays[0].size >= far or any(a.shape != shape or not a.flags.c_contiguous for a in arrays):
            self._make_plan(arrays)

    def _of_one(self):
        """`_by_plan` for one array and one output."""
        plans = self.plans

        def call(x):
            found = plans.get((x.shape, x.strides))
            if found is None:
                return by_plan(x)
            run, prototype, scalar = found
            y = run(x, prototype)
            return y[()] if scalar else y

        def by_plan(x):
            if len(plans) >= _PLANS:
                plans.clear()
            run, (prototype,) = self._make_plan((x,))
            plans[x.shape, x.strides] = run, prototype, not prototype.ndim
            return call(x)

        return call

    def _by_plan(self, *arrays):
        """For arrays of any shapes and strides."""
        run, prototypes = self._plan(arrays)
        result = run(*arrays, *prototypes)
        if self.single:
            return result if result.ndim else result[()]
        return tuple([r if r.ndim else r[()] for r in result])

    def _plan(self, arrays):
        """(callable, prototypes of the outputs) for arrays of these shapes and strides."""
        key = tuple([(a.shape, a.strides) for a in arrays])
        found = self.plans.get(key)
        if found is None:
            if len(self.plans) >= _PLANS:
                self.plans.clear()
            found = self.plans[key] = self._make_plan(arrays)
        return found

    def _make_plan(self, arrays):
        shape = np.broadcast_shapes(*[a.shape for a in arrays])
        dims = self.dims or ()
        order = [d for d in range(len(shape)) if d not in dims] + list(dims)
        outputs = [self._output(arrays, shape, t, row) for t, row in zip(self.types, self.per_row)]
        strides = [broadcast_strides(a, shape) for a in arrays]
        strides += [self._strides(o, shape, row) for o, row in zip(outputs, self.per_row)]
        turned = [tuple([s[d] for d in order]) for s in strides]
        fitted = fit(self.kernel, [shape[d] for d in order], turned, len(dims) if self.dims else None)
        code = llvm.compiled(self.kernel, fitted.layout)
        # Zero-stride views keep an output's memory order without its memory.
        prototypes = [
            np.lib.stride_tricks.as_strided(np.empty(1, o.dtype), o.shape, o.strides) for o in outputs
        ]
        return llvm.bridge().fitted(code, fitted, prototypes), prototypes

    def _output(self, arrays, shape, dtype, per_row: bool):
        """An output in the memory order of the first array of its shape, as NumPy does."""
        if per_row:
            kept = [
                1 if d in self.dims else s for d, s in enumerate(shape) if self.keepdim or d not in self.dims
            ]
            return np.empty(kept, dtype)
        like = next((a for a in arrays if a.shape == shape), None)
        return np.empty(shape, dtype) if like is None else np.empty_like(like, dtype, order=self.order)

    def _strides(self, output, shape, per_row: bool):
        if not per_row:
            return output.strides
        if self.keepdim:
            return broadcast_strides(output, shape)
        kept = iter(output.strides)
        return tuple([0 if d in self.dims else next(kept) for d in range(len(shape))])


_programs: dict = {}


def forward(op, arrays):
    """The result of an op on arrays (None where an input is left out) by machine code at once, or None.

    >>> from kobai.ops.elementwise import Neg
    >>> forward(Neg(), (np.ones(3),))
    array([-1., -1., -1.])
    """
    key = (op, *[None if a is None else (a.dtype, a.ndim) for a in arrays])
    run = _programs.get(key)
    if run is None:
        run = _programs[key] = llvm.available and _or_false(forward_of, op, arrays)
    return run(*arrays) if run else None


def backward(op, mask: int, arrays: dict, g):
    """Gradients of the inputs with a bit in ``mask`` (unreduced where they broadcast) at once, or None.

    ``arrays`` are "y" and the op's inputs by name; gradients come in a tuple with None for the others.
    """
    asks = compiled_rules(type(op), mask, False)[1].asks
    values = (g, *[_asked(ask, arrays) for ask in asks])
    key = (op, mask, *[(v.dtype, v.shape) if isinstance(v, np.ndarray) else v for v in values])
    run = _programs.get(key)
    if run is None:
        run = _programs[key] = llvm.available and _or_false(backward_of, op, mask, asks, values)
    return run(*values) if run else None


def _asked(ask: str, arrays: dict):
    if ask in arrays:
        return arrays[ask]
    name, _, what = ask.rpartition("_")
    return getattr(arrays[name], what)


def _or_false(make, *args):
    try:
        return make(*args)
    except NoKernel:
        return False


def begin(make, *args):
    """Have ``make(*args)`` done by another thread; what is returned waits for its result and gives it.

    The result is False where there is no machine code.
    """
    if not llvm.available:
        return None
    found: list = []

    def work():
        try:
            found.append(_or_false(make, *args))
        except Exception as e:  # NumPy can do it; but it should be known
            warnings.warn(f"no machine code for {args[0]}: {type(e).__name__}: {e}", UserWarning, stacklevel=1)
            found.append(False)

    thread, process = ahead.start(work), os.getpid()

    def result():
        if thread is not None and process == os.getpid():
            thread.join()
        if not found:  # where there is no such thread, as in a forked child
            work()
        return found[0]

    return result


def _as_arrays(run, values, dtype):
    """``run`` for values among which are numbers, which it sees as arrays."""
    if all(type(v) is np.ndarray for v in values):
        return run
    kinds = [None if v is None or type(v) is np.ndarray else getattr(v, "dtype", dtype) for v in values]

    def call(*values):
        return run(*[v if d is None else np.asarray(v, d) for v, d in zip(values, kinds) if v is not None])

    return call


def forward_of(op, values):
    """What computes an op on such values: arrays, numbers, or None where an input is left out.

    Returns False where there is no scalar code.
    """
    if op.emit is None:
        return _by_graph("forward_of", op, values)
    dtype = next(v.dtype for v in values if type(v) is np.ndarray)
    arrays = [v if v is None else np.asarray(v, getattr(v, "dtype", dtype)) for v in values]
    kernel = kernel_of(op, [v if v is None else v.dtype for v in arrays])
    if kernel is None:
        return False
    given = [a for a in arrays if a is not None]
    dims = row_dims(op, max(a.ndim for a in given))
    program = Program(kernel, dims, getattr(op, "keepdim", False))
    program.prepare(given)
    return _as_arrays(program.call, values, dtype)


def scanner():
    """What adds up along a dimension."""
    from kobai.backends import scan  # noqa: PLC0415 (text that few programs need)

    return scan.ready()


def twister():
    """What draws random words."""
    from kobai.backends import twister  # noqa: PLC0415 (as above)

    return twister.Twister()


def table():
    """What takes rows of tables, and adds to them."""
    from kobai.backends import rows  # noqa: PLC0415 (as above)

    return rows.Rows()


def _copy_kernel(dtype, wanted=None):
    k = Builder("copy")
    return k.finish(k.cast(k.operand(dtype, "x"), wanted or dtype))


def copier(dtype):
    """What copies an array of a type into row-major order."""
    return Program(_copy_kernel(dtype), order="C").call


def converter(given, wanted):
    """What converts arrays of a type to another."""
    return Program(_copy_kernel(given, wanted)).call


def joiner(dim: int, dtype, kinds):
    """What joins arrays of these (shape, strides) along a dimension."""
    kernel, at, copies = _copy_kernel(dtype), 0, []
    shape = list(kinds[0][0])
    shape[dim] = sum(s[dim] for s, _ in kinds)
    to = np.empty(shape, dtype).strides
    for i, (s, strides) in enumerate(kinds):
        if 0 not in s:
            fitted = fit(kernel, s, [strides, to])
            code = llvm.compiled(kernel, fitted.layout)
            copies.append((i, llvm.bridge().into_fitted(code, fitted, [(0, 0), (1, at * to[dim])])))
        at += s[dim]

    def call(*arrays):
        y = np.empty(shape, dtype)
        for i, copy in copies:
            copy(arrays[i], y)
        return y

    return call


def backward_of(op, mask: int, asks, values):
    """What computes the gradients of an op: a function of g and what its rules ask for, or False."""
    g, *saved = values
    if type(g) is tuple or not op.elementwise and any(v is None for v in saved):
        return _by_graph("backward_of", op, mask, values)
    arrays = {"y": (g.shape, g.dtype)}
    for ask, v in zip(asks, saved):
        name, _, what = ask.rpartition("_")
        if what == "shape":
            arrays[name] = (v, arrays.get(name, (v, g.dtype))[1])
        elif what == "dtype":
            arrays[name] = (arrays.get(name, (g.shape, v))[0], v)
        else:
            arrays[ask] = (np.shape(v), getattr(v, "dtype", g.dtype))
    vjp = kernel_of_vjp(op, mask, arrays)
    if vjp is None:
        return False if op.elementwise else _by_graph("backward_of", op, mask, values)
    if _hands_on(vjp.kernel, any if op.elementwise else all):
        return False
    order = [("g", *asks).index(name) for name in vjp.reads]
    used = [values[i] for i in order]
    if not _of_inputs_shape(op, vjp, arrays, used):
        return False if op.elementwise else _by_graph("backward_of", op, mask, values)
    program = Program(vjp.kernel, vjp.dims)
    program.prepare([np.asarray(v, getattr(v, "dtype", g.dtype)) for v in used])
    run, gives, count = _as_arrays(program.call, used, g.dtype), vjp.gives, len(op.inputs)
    if count == 1:
        return lambda *values: (run(*[values[i] for i in order]),)

    def call(*values):
        results = run(*[values[i] for i in order])
        gradients = [None] * count
        for i, result in zip(gives, (results,) if len(gives) == 1 else results):
            gradients[i] = result
        return tuple(gradients)

    return call


def _by_graph(name: str, *args):
    """What takes several kernels."""
    from kobai.backends import eager_graph  # noqa: PLC0415 (it loads the compiler of whole programs)

    return getattr(eager_graph, name)(*args)


def _hands_on(kernel: Kernel, how) -> bool:
    """Whether any gradient, or all, are `g` itself, which needs no memory of its own."""
    return how(kernel.nodes[i].op == "load" for i in kernel.outputs)


def _of_inputs_shape(op, vjp, arrays, used) -> bool:
    """Whether the gradients come out in the inputs' shapes, as NumPy broadcasts (elementwise ops fit them later)."""
    dims = max(np.ndim(v) for v in used)
    if not op.elementwise and any(0 < np.ndim(v) < dims for v in used):
        return False  # the rule has put dimensions into it: they need not be the first
    space = np.broadcast_shapes(*[np.shape(v) for v in used])
    if op.elementwise:
        return space == arrays["y"][0]
    shapes = [arrays.get(op.inputs[i], (space,))[0] for i in vjp.gives]
    return all(s == space and not vjp.kernel.per_row[o] for s, o in zip(shapes, vjp.kernel.outputs))
