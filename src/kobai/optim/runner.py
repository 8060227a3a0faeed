"""How an update formula meets arrays: small parameters together, large ones in pieces.

NumPy spends about 0.4 us on a call whatever the size, so the small parameters of a group are
gathered into one array and the formula is computed once for all of them (a `Pack`). A large
parameter is cut into pieces whose temporaries stay in the core's cache; computing on the whole
array would write and read each temporary through main memory, at a quarter of the speed.
Nobody outside sees this: a parameter stays where it is, and what an optimiser keeps for it are
Tensors that look into the pack.
"""
from __future__ import annotations

from itertools import pairwise
from operator import is_
from types import SimpleNamespace

import numpy as np

from ..autograd.mode import enable_grad, modes, no_grad
from ..dtypes import float64
from ..tensor import Tensor, wrap
from . import fused

PIECE = 16_384    # elements computed at once: the eight or so arrays of a formula fit into 1 MB
SMALL = 4_096     # below this, copying into a pack costs less than the calls it saves

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)
_REAL = {np.dtype(np.complex64): np.float32, np.dtype(np.complex128): np.float64}


def plain(v):
    """A hyperparameter as a number that leaves a float32 array what it is.

    NumPy's float64 numbers would widen it. A float32 Tensor becomes a float32 number, so that
    arithmetic with it is rounded as PyTorch rounds it.
    """
    if isinstance(v, Tensor) and modes.trace is not None:
        return v
    if isinstance(v, Tensor):
        return np.float32(v.item()) if v._data.dtype == np.float32 else v.item()
    if isinstance(v, np.generic):
        return v.item()
    if isinstance(v, (tuple, list)):
        return tuple([plain(x) for x in v])
    return v


def hyperparameters(group):
    """The options of a parameter group as attributes, all of them plain numbers."""
    numbers = {k: plain(v) for k, v in group.items() if k != "params"}
    return SimpleNamespace(**{"maximize": False, "differentiable": False, **numbers})


def _may_change(v):
    """Whether the number that `v` stands for may change while `v` stays the same object."""
    return isinstance(v, (Tensor, list)) or isinstance(v, tuple) and any(map(_may_change, v))


def store(t, new):
    """Write a value into a Tensor of the state, which may hold an array or a NumPy number."""
    a = t._data
    if a.__class__ is np.ndarray:
        a[...] = new
    else:
        t._data = a.dtype.type(new)


class Runner:
    """Runs the formula of an optimiser over one parameter group.

    Kept between steps: the hyperparameters as Python numbers (`h`), and which parameters go in
    packs. Both are checked against the group and the state on each step, as users may change them.
    """

    __slots__ = ("optimizer", "group", "values", "h", "names", "keeps", "params", "state", "packs", "loose",
                 "alone", "count")

    def __init__(self, optimizer, group):
        self.optimizer, self.group = optimizer, group
        self.values, self.params, self.names, self.state = (), (), None, None
        self.packs, self.loose = [], []
        self.count = 0      # entries of the state when it was looked at: fewer, and some have been taken out
        self.alone = set()  # ids of parameters that once had no gradient: not packed again

    def step(self):
        """Update all parameters of the group that have a gradient."""
        group = self.group
        params = group["params"]
        if len(group) != len(self.values) or not all(map(is_, group.values(), self.values)):
            self._read_hyperparameters()
        state = self.optimizer.state
        if self.state is not state or len(state) < self.count or len(params) != len(self.params) \
                or not all(map(is_, params, self.params)):
            self._arrange()
        for pack in self.packs:
            if not pack.gather():
                self._arrange()
                for again in self.packs:
                    again.gather()
                break
        h = self.h
        for pack in self.packs:
            pack.update(self.optimizer, h)
        for p in self.loose:
            if p._grad is not None:
                self._update(p, p._grad, h)

    def _read_hyperparameters(self):
        group = self.group
        changing = any(_may_change(v) for k, v in group.items() if k != "params")
        self.values = () if changing else tuple(group.values())
        self.h = hyperparameters(group)
        names = self.optimizer.arrays(self.h)
        if names != self.names:  # what is kept depends on momentum, amsgrad and the like
            self.names, self.state = names, None
            self.keeps = bool(names or self.optimizer.counters)

    # ---- which parameters go together ----------------------------------------------------
    def _arrange(self):
        """Sort the parameters into packs and loose ones."""
        self._unpack()
        self.params, self.state = tuple(self.group["params"]), self.optimizer.state
        self.loose, together = [], {}
        for p in self.params:
            if self.keeps and p._grad is not None and not p._grad.is_sparse:
                self.optimizer._state_of(p, self.h)  # now, so that the state lists them in this order
            key = self._pack_key(p)
            if key is None:
                self.loose.append(p)
            else:
                together.setdefault(key, []).append(p)
        if _overlap([p._data for members in together.values() for p in members]):
            self.loose, together = list(self.params), {}
        for members in together.values():
            for some in _portions(members):
                if len(some) > 1:
                    self.packs.append(Pack(self.optimizer, self.names, some))
                else:
                    self.loose += some
        self.count = len(self.state)

    def _unpack(self):
        self.packs, self.state = [], None

    def _pack_key(self, p):
        """What parameters must share to be updated as one array; None for one that stays loose."""
        if p._grad is None:
            self.alone.add(id(p))
        if id(p) in self.alone or not self.names or not self.optimizer.elementwise \
                or self.h.differentiable or p._grad.is_sparse:
            return None
        x = p._data
        if x.size > SMALL or x.dtype not in (_F32, _F64):
            return None
        kept = self.optimizer.state[p]
        counts = [kept[name].item() for name in self.optimizer.counters]
        return x.dtype, tuple([name in kept for name in self.names]), tuple(counts)

    # ---- one parameter -------------------------------------------------------------------
    def _update(self, p, grad, h):
        optimizer = self.optimizer
        x = p._data
        h.dtype = d = x.dtype
        if d is not _F32 and d is not _F64 or x.size >= fused.LEAST or grad.is_sparse or h.differentiable:
            return self._update_other(p, grad, h)
        g = -grad._data if h.maximize else grad._data
        if self.keeps:
            kept = optimizer._state_of(p, h)
            counts, old = self._look_up(kept)
            new = optimizer.update(h, x, g, *counts, *old)
            self._keep(kept, counts, old, new)
        else:
            new = optimizer.update(h, x, g)
        if x.__class__ is np.ndarray:
            x[...] = new[0]
        else:
            p._data = new[0]
        p._ver[0] += 1

    def _update_other(self, p, grad, h):
        """As `_update`, for all but small float32 and float64 parameters."""
        optimizer = self.optimizer
        if grad.is_sparse:
            return optimizer.update_sparse(p, grad, h)
        if h.differentiable:
            with enable_grad():
                return self._update_tensors(p, grad, h)
        kept = optimizer._state_of(p, h) if self.keeps else {}
        counts, old = self._look_up(kept)
        x, g = p._array(), np.asarray(grad._data)
        more = fused.update(optimizer, h, x, g, counts, old) if x.size >= fused.LEAST else None
        if more is not None:
            new = (x, *more, *old)
        elif optimizer.elementwise:
            new = self._in_pieces(x, g, h, counts, old)
        else:
            new = self._whole(x, g, h, counts, old)
        p._bump()
        self._keep(kept, counts, old, new)

    def _look_up(self, kept):
        """What the formula is given beside p and g: counts, of which the first grows, and arrays."""
        counts = [kept[name]._data.item() for name in self.optimizer.counters]
        if counts:
            counts[0] += 1.0
        return counts, [kept[name]._data if name in kept else None for name in self.names]

    def _keep(self, kept, counts, old, new):
        """Write what the formula returned beside p into the state."""
        counters = self.optimizer.counters
        if counters:
            store(kept[counters[0]], counts[0])
            for name, value in zip(counters[1:], new[1:]):
                store(kept[name], value)
        for name, before, value in zip(self.names, old, new[max(1, len(counters)):]):
            if before is None:
                if value is not None:
                    kept[name] = wrap(np.array(value, self.h.dtype))
            elif before is not value:
                store(kept[name], value)

    def _whole(self, x, g, h, counts, old):
        """The formula on an array as it is."""
        new = self.optimizer.update(h, _wide(x), _wide(-g if h.maximize else g), *counts, *map(_wide, old))
        x[...] = new[0]
        return new

    def _in_pieces(self, x, g, h, counts, old):
        """The formula on one piece after another. Writes into x and old; returns as the formula."""
        targets = [x] + [np.empty_like(x) if a is None else np.asarray(a) for a in old]
        flat, g, after = [_flat(a) for a in targets], _flat(g), max(1, len(counts))
        for i in range(0, g.size or 1, PIECE):
            cut = slice(i, i + PIECE)
            part = [_wide(a[cut]) if given is not None else None for a, given in zip(flat, (x, *old))]
            d = _wide(g[cut])
            new = self.optimizer.update(h, part[0], -d if h.maximize else d, *counts, *part[1:])
            for a, value in zip(flat, (new[0], *new[after:])):
                a[cut] = value
        for a, elements in zip(targets, flat):
            if not a.flags.c_contiguous:  # then `elements` is a copy
                a[...] = elements.view(a.dtype).reshape(a.shape)
        return (x, *new[1:after], *targets[1:])

    def make_state(self, neutral=False):
        """Make what is kept for the parameters that have a gradient, if it is not there."""
        self._read_hyperparameters()
        self._unpack()
        for p in self.group["params"]:
            if self.keeps and p._grad is not None:
                self.optimizer._state_of(p, self.h, neutral and not p._grad.is_sparse)

    # ---- on Tensors ----------------------------------------------------------------------
    def step_on_tensors(self, number=None):
        """As `step`, in operations on Tensors, for the compiler, which records these.

        `number(table, key)` gives a tensor for a hyperparameter that may be another number on the next step.
        """
        self.make_state()
        if number is not None:
            for key in ("lr", "momentum", "betas"):  # what schedulers change
                if key in self.group:
                    setattr(self.h, key, number(self.group, key))
        self.values = ()  # an ordinary step reads them anew
        with no_grad():
            for p in self.group["params"]:
                if p._grad is not None:
                    self._update_tensors(p, p._grad, self.h)

    def _update_tensors(self, p, grad, h):
        optimizer = self.optimizer
        kept = optimizer._state_of(p, h) if self.keeps else {}
        counts = [kept[name].to(float64) for name in optimizer.counters]
        if counts:
            counts[0] = counts[0] + 1.0
        old = [kept.get(name) for name in self.names]
        h.dtype = p.dtype.np
        before = p.clone() if h.differentiable else p  # p itself is about to change
        new = optimizer.update(h, before, -grad if h.maximize else grad, *counts, *old)
        p.copy_(new[0])
        for name, count in zip(optimizer.counters, (*counts[:1], *new[1:])):
            kept[name].copy_(count)
        for name, value in zip(self.names, new[max(1, len(counts)):]):
            if name in kept and not h.differentiable:
                kept[name].copy_(value)
            elif value is not None:  # it may be the gradient itself
                kept[name] = value if h.differentiable else value.clone()


def _wide(a):
    """float16 and bfloat16 as float32: formulas are computed in that, as PyTorch's fused kernels do."""
    return a.astype(np.float32) if a is not None and a.dtype.itemsize < 4 else a


def touched(grad):
    """Of a sparse gradient: the index of the rows (or elements) that it has, and their values."""
    grad = grad.coalesce()
    return tuple(grad.indices()._array()), grad.values()._array()


def _flat(a):
    """The elements in a row, complex ones as pairs of real numbers; a view if `a` is contiguous."""
    a = a.reshape(-1)
    return a.view(_REAL[a.dtype]) if a.dtype in _REAL else a


def _overlap(arrays):
    """Whether two of them may share memory: what is written back for one would undo another's update."""
    extents = sorted([_extent(a) for a in arrays if a.__class__ is np.ndarray and a.size])
    return any(after[0] < before[1] for before, after in pairwise(extents))


def _extent(a):
    """Where the memory of an array begins and ends."""
    reach = [(n - 1) * s for n, s in zip(a.shape, a.strides)]
    start = a.ctypes.data
    return start + sum([r for r in reach if r < 0]), start + sum([r for r in reach if r > 0]) + a.itemsize


def _portions(params):
    """Cut a list of parameters into lists of at most PIECE elements altogether."""
    some, size = [], 0
    for p in params:
        n = p._data.size
        if size + n > PIECE:
            yield some
            some, size = [], 0
        some.append(p)
        size += n
    yield some


class Pack:
    """Several small parameters, their gradients and all that is kept for them, as flat arrays.

    All have taken the same number of steps: their counters are equal elements of one array. `gather` copies values
    and gradients in; after `update` the values are copied back; what is kept lives here.
    """

    __slots__ = ("rows", "p", "g", "arrays", "counters", "names", "fresh", "memory")

    def __init__(self, optimizer, names, params):
        first = optimizer.state[params[0]]
        self.memory = [p._data for p in params]
        total, dtype = sum(p._data.size for p in params), params[0]._data.dtype
        self.p, self.g = np.empty(total, dtype), np.empty(total, dtype)
        self.names, self.fresh = names, [name not in first for name in names]
        self.arrays = [np.empty(total, dtype) for _ in names]
        self.counters = [np.full(len(params), first[name]._data) for name in optimizer.counters]
        self.rows, start = [], 0
        for i, p in enumerate(params):
            kept, shape = optimizer.state[p], p._data.shape
            cut = slice(start, start + p._data.size)
            start = cut.stop
            for name, counter in zip(optimizer.counters, self.counters):
                kept[name] = wrap(counter[i:i + 1].reshape(()))
            for name, array in zip(names, self.arrays):
                if name in kept:
                    view = array[cut].reshape(shape)
                    view[...] = kept[name]._data
                    kept[name] = wrap(view)
            self.rows.append((p, kept, list(kept.values()), self.p[cut].reshape(shape),
                              self.g[cut].reshape(shape), cut))

    def gather(self):
        """Copy values and gradients in; False if the pack is no longer right."""
        dtype, others = self.p.dtype, False
        for (p, kept, tensors, x, g, _), before in zip(self.rows, self.memory):
            grad, data = p._grad, p._data
            if data is not before and data.__class__ is np.ndarray:
                others = True
            if grad is None or data.dtype is not dtype or len(kept) != len(tensors) \
                    or not all(map(is_, kept.values(), tensors)):
                return False
            g[...] = grad._data
            x[...] = data
        if others:  # the program gave some of them other memory
            self.memory = [row[0]._data for row in self.rows]
            return not _overlap(self.memory)
        return True

    def update(self, optimizer, h):
        """One step of all members."""
        counts = [c[0].item() for c in self.counters]
        if counts:
            counts[0] += 1.0
        old = self.arrays
        if True in self.fresh:
            old = [None if new else a for a, new in zip(self.arrays, self.fresh)]
        more = fused.update(optimizer, h, self.p, self.g, counts, old) if self.p.size >= fused.LEAST else None
        if more is None:
            new = optimizer.update(h, self.p, -self.g if h.maximize else self.g, *counts, *old)
            self.p[...] = new[0]
        else:
            new = (self.p, *more, *old)
        for p, _, _, x, _, _ in self.rows:
            if p._data.__class__ is np.ndarray:
                p._data[...] = x
            else:
                p._data = x[()]
            p._bump()
        after = max(1, len(counts))
        for counter, value in zip(self.counters, (*counts[:1], *new[1:after])):
            counter[...] = value
        for array, value in zip(self.arrays, new[after:]):
            if array is not value:
                array[...] = value
        if True in self.fresh:
            self._publish()

    def _publish(self):
        """Show arrays that have their first value in the state of the members."""
        for _, kept, tensors, x, _, cut in self.rows:
            for name, array, new in zip(self.names, self.arrays, self.fresh):
                if new:
                    kept[name] = wrap(array[cut].reshape(x.shape))
            tensors[:] = kept.values()
        self.fresh = [False] * len(self.names)
