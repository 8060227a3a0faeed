"""Results that nobody kept, computed once more from what was kept: for pictures of small graphs."""

from __future__ import annotations

import math

from ..autograd.mode import no_grad
from ..op import Contraction, Elementwise, Movement, Reduction
from ..saved import unpack
from .graph import is_tensor

AGAIN = Elementwise, Movement, Reduction, Contraction  # without side effects: no random numbers, no user code
MOST = 100_000  # elements of an input


def replay(functions: list, results: dict) -> None:
    """Add the missing results of nodes to ``results[node, output number]``, as far as they can be computed.

    ``functions`` come inputs first. Leaves may have changed since: if any result that *is* known comes
    out differently, nothing is added.
    """
    found = dict(results)
    for fn in functions:
        if hasattr(fn, "variable"):
            found[fn, 0] = fn.variable
            continue
        again = computed_again(fn, found)
        for number, tensor in enumerate(again):
            if (fn, number) in results and not same(tensor, results[fn, number]):
                return
            found.setdefault((fn, number), tensor)
    results.update(found)


def computed_again(fn, found: dict) -> tuple:
    """The outputs of a node, or () if an input is not known."""
    op = getattr(fn, "op", None)
    if not isinstance(op, AGAIN):
        return ()
    kept = unpack(fn)
    kept = dict(zip(fn.vjp.asks, kept)) if isinstance(kept, tuple) else {}  # otherwise freed
    made_by = dict(enumerate(fn.next_functions))
    values = []
    for i in range(len(made_by) if op.variadic else len(op.inputs)):
        source = made_by.get(i, (None, 0))
        value = kept.get(op.inputs[i]) if source[0] is None and i < len(op.inputs) else found.get(source)
        if value is None or is_tensor(value) and math.prod(value.shape) > MOST:
            return ()
        values.append(value.detach() if is_tensor(value) else value)
    if not any(map(is_tensor, values)):
        return ()
    with no_grad():
        result = op(*values)
    return result if isinstance(result, tuple) else (result,)


def same(a, b) -> bool:
    """Whether two tensors have the same shape and, NaN or not, the same values."""
    return repr(a.detach().tolist()) == repr(b.detach().tolist())
