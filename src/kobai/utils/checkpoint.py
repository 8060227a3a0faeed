"""Checkpointing: keep the inputs of a function instead of what it saves, and compute it again in backward.

Two ways, as in PyTorch. With use_reentrant=False the graph is the function's own, and what its nodes
saved is a number each; the first one that backward needs makes the function run again. With
use_reentrant=True the function is one node, whose backward runs it again and goes through a graph of its own.
"""
from __future__ import annotations

import contextlib
import warnings

from ..autograd.engine import backward
from ..autograd.function import Function
from ..autograd.graph import saved_tensors_hooks
from ..autograd.mode import enable_grad, modes, no_grad
from ..diagnose import error
from ..random import get_rng_state, set_rng_state
from ..tensor import Tensor


class CheckpointError(RuntimeError):
    """The function did something else the second time."""


def noop_context_fn():
    """Two contexts that do nothing: for the first run and for the second."""
    return contextlib.nullcontext(), contextlib.nullcontext()


_settings = {"early_stop": True, "debug": False}


@contextlib.contextmanager
def _setting(name, value):
    before, _settings[name] = _settings[name], value
    try:
        yield
    finally:
        _settings[name] = before


def set_checkpoint_early_stop(enable):
    """A context in which the second run ends (or does not) as soon as all that was saved is there again."""
    return _setting("early_stop", enable)


def set_checkpoint_debug_enabled(enabled):
    """Accepted: errors here name what differs at once."""
    return _setting("debug", enabled)


def checkpoint(function, *args, use_reentrant=None, context_fn=noop_context_fn, determinism_check="default",
               debug=False, early_stop=True, **kwargs):
    """`function(*args, **kwargs)`, whose saved values are computed again when backward needs the first of them.

    Args: `preserve_rng_state` (default True), whether random numbers are the same in the second
    run; `context_fn` gives contexts for the two runs; `determinism_check="none"` does not compare
    shapes and dtypes.
    Raises CheckpointError if the second run saves something else.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. use_reentrant=False is "
            "recommended; without it, use_reentrant=True is taken.", stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if modes.trace is not None and context_fn is noop_context_fn and preserve:
        return _recorded(function, args, kwargs, use_reentrant)
    if use_reentrant:
        if kwargs:
            raise error("call-form", ValueError("Unexpected keyword arguments: " + ",".join(kwargs)),
                        names=list(kwargs),
                        why="with use_reentrant=True only arguments without names reach the function, and {names} "
                            "has one.",
                        fix="write use_reentrant=False.")
        if context_fn is not noop_context_fn or debug:
            raise error("arguments-exclude",
                        ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False."),
                        why="context_fn and debug are about the graph that only use_reentrant=False keeps.",
                        fix="write use_reentrant=False.")
        if modes.grad and not any(isinstance(a, Tensor) and a.requires_grad for a in args):
            warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise error("argument-choice",
                    ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}"),
                    what="determinism_check", value=determinism_check, choices=["default", "none"])
    return _own_graph(function, args, kwargs, preserve, context_fn, determinism_check == "default", early_stop)


def _recorded(function, args, kwargs, use_reentrant):
    """Computed once while a program is recorded, whose plan keeps what it needs: the numbers are the same."""
    trace, modes.trace = modes.trace, None
    random, modes.trace = _Random(True), trace
    before = trace.changes()
    ahead = modes.grad and (not use_reentrant or any(isinstance(a, Tensor) and a.requires_grad for a in args))
    with enable_grad() if ahead else no_grad():
        y = function(*args, **kwargs)
    if trace.changes() != before:
        trace.stop("a checkpoint of a function that changes tensors changes them twice")

        def once_more(g):
            with random.again(), no_grad():
                function(*args, **kwargs)
        for t in (y if isinstance(y, tuple) else (y,))[:1]:
            if isinstance(t, Tensor) and t.requires_grad:
                t.register_hook(once_more)
    return y


class _Random:
    """The state of the random numbers now, for a second run."""

    def __init__(self, preserve):
        self.state = get_rng_state() if preserve else None

    @contextlib.contextmanager
    def again(self):
        if self.state is None:
            yield
            return
        before = get_rng_state()
        set_rng_state(self.state)
        try:
            yield
        finally:
            set_rng_state(before)


# ---- use_reentrant=False -----------------------------------------------------------------------
def _own_graph(function, args, kwargs, preserve, context_fn, check, early_stop):
    first, second = context_fn()
    random = _Random(preserve)

    def rerun():
        with random.again(), second, enable_grad():
            function(*args, **kwargs)
    if not modes.grad:
        with first:
            return function(*args, **kwargs)
    run = _Run(rerun, check, early_stop)
    with saved_tensors_hooks(run.pack, run.unpack), first:
        return function(*args, **kwargs)


class _Enough(Exception):
    """All values are there again."""


class _Run:
    """What one run of the function saved, as numbers; their values are there after a second run."""

    def __init__(self, rerun, check, early_stop):
        self.rerun, self.check, self.early_stop = rerun, check, early_stop
        self.saved, self.values = [], {}

    def pack(self, t):
        self.saved.append((tuple(t.shape), t.dtype))
        return len(self.saved) - 1

    def unpack(self, number):
        if number not in self.values:
            self.values = self._computed()
        return self.values.pop(number)

    def _computed(self):
        values = []

        def keep(t):
            values.append(t)
            if len(values) == len(self.saved) and self.early_stop and _settings["early_stop"]:
                raise _Enough
            return t
        with contextlib.suppress(_Enough), saved_tensors_hooks(keep, lambda t: t):
            self.rerun()
        if len(values) != len(self.saved):
            raise error("wrong-return",
                        CheckpointError("torch.utils.checkpoint: A different number of tensors was saved during the "
                                        "original forward and recomputation."),
                        count=len(self.saved), again=len(values),
                        why="forward saved {count} tensors, and computing it again saved {again}: the function did "
                            "something else.",
                        fix="let the function depend on its arguments only, and not change them or anything outside.")
        for i, (t, (shape, dtype)) in enumerate(zip(values, self.saved)):
            if self.check and (tuple(t.shape), t.dtype) != (shape, dtype):
                raise error("wrong-return",
                            CheckpointError("torch.utils.checkpoint: Recomputed values for the following tensors "
                                            "have different metadata than during the forward pass."),
                            i=i, shape=shape, dtype=dtype, new_shape=tuple(t.shape), new_dtype=t.dtype,
                            why="tensor {i} was saved as {shape} {dtype}, and computed again as {new_shape} "
                                "{new_dtype}.",
                            fix="let the function depend on its arguments only, and not change them or anything "
                                "outside.")
        return dict(enumerate(values))


# ---- use_reentrant=True ------------------------------------------------------------------------
class CheckpointFunction(Function):
    """A function as one node; its backward runs the function again, with a graph."""

    @staticmethod
    def forward(ctx, run_function, preserve_rng_state, *args):
        """The outputs, computed without a graph."""
        ctx.run, ctx.random = run_function, _Random(preserve_rng_state)
        ctx.others = [None if isinstance(a, Tensor) else a for a in args]
        ctx.save_for_backward(*[a if isinstance(a, Tensor) else None for a in args])
        return run_function(*args)

    @staticmethod
    def backward(ctx, *grads):
        """Gradients of the arguments; those of parameters go into their `.grad`."""
        if modes.partial:
            raise error("not-possible",
                        RuntimeError("When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing "
                                     "an `inputs` parameter to .backward(). To resolve this error, you can either set "
                                     "use_reentrant=False, or call .backward() without passing the `inputs` argument."),
                        why="with use_reentrant=True a backward pass of its own runs inside, and it fills .grad of "
                            "all parameters.",
                        fix="write checkpoint(function, x, use_reentrant=False).")
        args = [other if t is None else t.detach().requires_grad_(t.requires_grad)
                for t, other in zip(ctx.saved_tensors, ctx.others)]
        with ctx.random.again(), enable_grad():
            outs = ctx.run(*args)
        outs = outs if isinstance(outs, (tuple, list)) else (outs,)
        pairs = [(o, g) for o, g in zip(outs, grads) if isinstance(o, Tensor) and o.requires_grad]
        if not pairs:
            raise error("not-possible",
                        RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary"),
                        why="nothing that the function returned needs a gradient.",
                        fix="call it without checkpoint(), or give what it computes with requires_grad=True.")
        backward([o for o, _ in pairs], [g for _, g in pairs])
        return None, None, *[a._grad if isinstance(a, Tensor) else None for a in args]


# ---- a Sequential in parts -----------------------------------------------------------------------
def checkpoint_sequential(functions, segments, input, use_reentrant=None, **kwargs):
    """A Sequential in `segments` parts, each of them but the last checkpointed."""
    if use_reentrant is None:
        warnings.warn("torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed "
                      "explicitly. use_reentrant=False is recommended; without it, use_reentrant=True is taken.",
                      stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise error("call-form", ValueError("Unexpected keyword arguments: " + ",".join(kwargs)), names=list(kwargs),
                    why="the layers get the input only, and {names} was given by name.",
                    fix="leave it out; checkpoint(layer, x, ...) passes arguments on to one layer.")
    functions = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = len(functions) // segments
    for i in range(segments - 1):
        part = _part(functions[i * size:(i + 1) * size])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return _part(functions[(segments - 1) * size:])(input)


def _part(functions):
    def run(x):
        for f in functions:
            x = f(x)
        return x
    return run


__all__ = ["CheckpointError", "CheckpointFunction", "checkpoint", "checkpoint_sequential", "noop_context_fn",
           "set_checkpoint_debug_enabled", "set_checkpoint_early_stop"]
