"""Which op does what on which engine: found out by trying, for the table in docs/ops.md.

Each cell runs the check of testing/check.py on the op's own samples, or asks the compiler for its scalar code.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ..autograd.batched import Batched
from ..compile.emit import kernel_of, kernel_of_vjp
from ..op import Op, registry
from . import check, compiled as programs

YES, LOOP, EAGERLY, NO, NONE = "✓", "one by one", "eagerly", "✗", ""
RANK = {NO: 0, NONE: 1, LOOP: 2, EAGERLY: 2, YES: 3}    # a cell that goes down has regressed
ENGINES = ("eager", "strided", "grad", "grad of grad", "jvp", "vmap", "vmap of grad", "scalar code", "scalar code of grad",
           "compiled")
SAMPLES = 3  # of each op: the others differ from them in shape alone, and test_generated.py has them all


class Row(NamedTuple):
    """One op: its file, its name, PyTorch's name of its node, and a cell for each engine."""

    family: str
    name: str
    node: str
    cells: tuple[str, ...]


def ops() -> list[type[Op]]:
    """The ops of the registry, in the order of the files."""
    return [cls for cls in sorted(registry, key=lambda c: (c.__module__, c.__name__))
            if cls.__module__.startswith("kobai.ops.") and bool(getattr(cls, "samples", ()))]


def rows(compiled: bool = True) -> Iterator[Row]:
    """A row for each op; without the last cell if `compiled` is false.

    >>> next(r for r in rows(False) if r.name == "Exp").cells[:4]
    ('✓', '✓', '✓', '✓')
    """
    for cls in ops():
        node = cls.Node.__name__ if cls.differentiable else ""
        more = (compiled_cell(cls),) if compiled else ()
        yield Row(cls.__module__.rpartition(".")[2], cls.__name__, node, cells(cls) + more)


def cells(cls: type[Op]) -> tuple[str, ...]:
    """What the op does on each of ENGINES but the last."""
    every = [_made(cls, s) for s in cls.samples]
    smooth = [c for c, s in zip(every, cls.samples) if s.smooth and cls.differentiable][:SAMPLES]
    every = every[:SAMPLES]
    random = getattr(cls, "random", False)
    return (
        _cell(every, check.run),
        _cell(every, check.check_strides),
        _cell(smooth, lambda op, arrays: check.check_gradient(op, arrays, _rng())),
        _cell(smooth, lambda op, arrays: check.check_second(op, arrays, _rng())),
        _cell(smooth, lambda op, arrays: check.check_jvp(op, arrays, _rng())),
        _batched(every, lambda op, arrays: check.check_vmap(op, arrays, _rng())),
        _batched([] if random else smooth, check.check_vmap_of_gradient),
        _any(every, _kernel),
        _any(smooth, _kernel_of_gradient),
    )


def compiled_cell(cls: type[Op]) -> str:
    """Whether the op is recorded and then right: forward, with its gradient, differentiated from outside."""
    try:
        reasons = [run(*case) for run, case in compiled_cases(cls)]
    except Exception:
        return NO
    return YES if not any(reasons) else EAGERLY


def compiled_cases(cls: type[Op]):
    """(check, (op, arrays)) for `compiled_cell`; floats are float32, which is most of what is compiled."""
    sample = programs.largest(cls.samples)
    op, arrays = _made(cls, sample)
    case = op, [a.astype(np.float32) if isinstance(a, np.ndarray) and a.dtype == np.float64 else a for a in arrays]
    yield programs.check_forward, case
    if cls.differentiable and sample.smooth:
        yield programs.check_training, case
        yield programs.check_differentiated, case


def _rng() -> np.random.Generator:
    return np.random.default_rng(1)


def _made(cls, sample):
    return cls(*sample.params), [np.asarray(a) if isinstance(a, (tuple, np.ndarray, np.generic)) else a
                                 for a in sample.arrays(np.random.default_rng(0))]


def _cell(cases, run: Callable) -> str:
    for op, arrays in cases:
        try:
            run(op, arrays)
        except Exception:
            return NO
    return YES if cases else NONE


def _batched(cases, run) -> str:
    """As `_cell`; says so if examples were taken one by one, because the op has no rule for batches."""
    looped, before = [], Batched._loop

    def counted(self, op, values, size):
        looped.append(op)
        return before(self, op, values, size)
    Batched._loop = counted
    try:
        cell = _cell(cases, run)
    finally:
        Batched._loop = before
    return LOOP if looped and cell == YES else cell


def _any(cases, has: Callable) -> str:
    return YES if any(has(op, arrays) for op, arrays in cases) else NONE


def _kernel(op, arrays):
    return kernel_of(op, [_single(a) for a in arrays]) is not None


def _single(a):
    """The dtype of an input, floats as float32; None for one that is left out."""
    return None if not isinstance(a, np.ndarray) else np.dtype("f4") if a.dtype.kind == "f" else a.dtype


def _kernel_of_gradient(op, arrays):
    if not _kernel(op, arrays) or len(op.inputs) != len(arrays):
        return False
    y = op.forward(*arrays)
    if isinstance(y, tuple):
        return False
    like = {n: (a.shape, _single(a)) for n, a in zip(op.inputs, arrays) if isinstance(a, np.ndarray)}
    mask = sum(1 << i for i, a in enumerate(arrays) if check.differentiable(op, i, a))
    try:
        return bool(mask) and kernel_of_vjp(op, mask, {"y": (y.shape, np.dtype("f4")), **like}) is not None
    except Exception:
        return False
