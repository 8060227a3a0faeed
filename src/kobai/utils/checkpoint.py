"""Checkpointing: keep the inputs of a function instead of what it saves, and compute it again in backward."""
from __future__ import annotations

import warnings

from ..autograd.graph import saved_tensors_hooks
from ..autograd.mode import enable_grad, modes
from ..random import get_rng_state, set_rng_state


def checkpoint(function, *args, use_reentrant=None, context_fn=None, determinism_check="default", debug=False,
               early_stop=True, preserve_rng_state=True, **kwargs):
    """`function(*args, **kwargs)`, whose saved values are computed again when backward needs the first of them.

    Both values of `use_reentrant` work in the same way here. Random numbers repeat unless
    `preserve_rng_state=False`.
    """
    if use_reentrant is None:
        warnings.warn("torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly.", stacklevel=2)
    if not modes.grad:
        return function(*args, **kwargs)
    state = get_rng_state() if preserve_rng_state else None
    again = _Again(function, args, kwargs, state)
    with saved_tensors_hooks(again.pack, again.unpack):
        return function(*args, **kwargs)


class _Again:
    """Numbers what the function saves; the first one that is needed makes it run once more, keeping them all."""

    def __init__(self, function, args, kwargs, state):
        self.call = lambda: function(*args, **kwargs)
        self.state, self.count, self.values = state, 0, None

    def pack(self, tensor):
        self.count += 1
        return self.count - 1

    def unpack(self, number):
        if self.values is None:
            self.values = self._run()
        return self.values[number]

    def _run(self):
        values: list = []
        now = get_rng_state() if self.state is not None else None
        if now is not None:
            set_rng_state(self.state)

        def keep(t):
            values.append(t)
            return t
        try:
            with enable_grad(), saved_tensors_hooks(keep, lambda t: t):
                self.call()
        finally:
            if now is not None:
                set_rng_state(now)
        if len(values) != self.count:
            raise RuntimeError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation.\nNumber of tensors saved during forward: {self.count}\nNumber of tensors saved during "
                f"recomputation: {len(values)}\n  cause: the function did something else the second time.\n"
                "  fix: it must depend on its arguments only, and not change them.")
        return values


def checkpoint_sequential(functions, segments, input, use_reentrant=None, preserve_rng_state=True):
    """A Sequential in `segments` parts, each of them but the last checkpointed."""
    functions = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = max(1, len(functions) // segments)
    starts = list(range(0, size * segments, size))[:segments]

    def part(start, end):
        def run(x):
            for f in functions[start:end]:
                x = f(x)
            return x
        return run
    for i, start in enumerate(starts[:-1]):
        input = checkpoint(part(start, starts[i + 1]), input, use_reentrant=bool(use_reentrant),
                           preserve_rng_state=preserve_rng_state)
    return part(starts[-1], len(functions))(input)
