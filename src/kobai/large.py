"""Large arrays: which ops run as machine code on them, and from when on.

`op.py` asks an array's size against the op's `least`; below that NumPy is as fast, and nothing else is looked at.
From there on an op with scalar code is still computed by NumPy until that has cost about as much time as
compiling does (`BUDGET`): programs that use an op a few times never wait for a compiler. Then it is
compiled by a thread of its own, and used from the next time on: after the same number of elements since
`manual_seed`, ready or not, so that results do not depend on timing (and at once under
`use_deterministic_algorithms`, so that they do not depend on what was computed before). See `kobai.backends.eager` for what runs.
"""
from __future__ import annotations

import sys
from weakref import WeakSet

import numpy as np

from .autograd.mode import modes, runs
from .rules import fit

NEVER = sys.maxsize
# From how many elements on machine code beats NumPy, the call included, by what NumPy does:
STEPS = 16      # several functions, each with a temporary array; or a reduction, of few numbers a slow call
OWN = 64        # many times as much memory as the arrays have
PASS = 1024     # one costly function
PLAIN = 8192    # one pass at the speed of memory
LARGE = STEPS   # the smallest: `op.py` compares with this constant first, which is faster than asking the op
BUDGET = {OWN: 1 << 21, STEPS: 1 << 20, PASS: 1 << 20, PLAIN: 1 << 22}  # elements computed by NumPy before an op is compiled
CALL = 1024     # a call counts as so many elements more: that is about how many NumPy computes in the time
RECORDED = 8    # times as much is computed by NumPy in a call that is recorded: the next ones run its plan instead
_PLAIN_UFUNCS = {np.add, np.subtract, np.multiply, np.true_divide, np.negative, np.absolute, np.maximum, np.minimum,
                 np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.sqrt}
_ndarray = np.ndarray


def least_of(cls):
    """From how many elements on an op class asks for machine code."""
    if cls.planned:
        return OWN
    if cls.view or cls.moves or cls.lower is None and (cls.emit is None or cls.outputs != 1):
        return NEVER
    if getattr(cls, "few_passes", False):  # an op that says so itself
        return PLAIN
    ufunc = getattr(cls, "ufunc", None)
    if ufunc is not None and not hasattr(cls, "keepdim"):
        return PLAIN if ufunc in _PLAIN_UFUNCS else PASS
    return STEPS


class Use:
    """One op on inputs of given types: how much of it NumPy may still compute, and then its machine code."""

    __slots__ = ("budget", "left", "job", "run", "ready", "__weakref__")

    def __init__(self, budget):
        self.budget = self.left = budget
        self.job = self.run = self.ready = None  # ready: run, once nothing need be asked any more
        _uses.add(self)

    def code(self, size, make, *args):
        """The machine code ``make(*args)``, made by another thread; or None: NumPy computes once more."""
        if self.left > 0 and not runs.fixed:
            self.left -= size + CALL if modes.trace is None else (size + CALL) // RECORDED
            if self.left <= 0:
                self.prepare(make, *args)
            return None
        job = self.job  # before `run`: another thread sets that first, and then forgets the job
        if self.run is None:
            if job is None:
                job = _eager().begin(make, *args)
            self.run = job() if job else False
            self.job = None
        if self.left <= 0 and self.run:
            self.ready = self.run
        return self.run or None

    def prepare(self, make, *args):
        """Begin to make the code."""
        if self.job is None and self.run is None:
            self.job = _eager().begin(make, *args)


class Pace:
    """What machine code that applies ops knows of one on large arrays: the last function that served them, and whom."""

    __slots__ = ("words", "kept")

    def __init__(self):
        self.words, self.kept = np.full(4, -1), []  # how often there was a seed, dtype, rank (-1: any), the function

    def set(self, x, any_rank, run):
        """From now on, and until the next seed, `run` computes what has the dtype of x (and its rank, if that matters)."""
        self.kept.append(run)  # machine code may be about to call one of those before
        del self.kept[:-_SHAPES]
        self.words[:] = runs.seeds[0], id(x.dtype), -1 if any_rank else x.ndim, id(run)


def count(budget):
    """A `Use` of what is no op, such as an optimiser's formula."""
    return _Seeded(budget)


class _Seeded(Use):
    """A Use that looks for itself whether `manual_seed` was called."""

    __slots__ = ()

    def code(self, size, make, *args):
        if runs.seeded != _seeded:
            _start_anew()
        return super().code(size, make, *args)


_uses: WeakSet = WeakSet()
_ops: WeakSet = WeakSet()
_seeded = 0


def _start_anew():
    """After `manual_seed`: NumPy computes as much as it did after the last one, so that both runs are alike."""
    global _seeded
    _seeded = runs.seeded
    for use in _all(_uses):
        use.left, use.ready = use.budget, None
    for op in _all(_ops):
        op.quick = {}


def _all(things):
    """What is in a WeakSet; another thread may add to it while it is read."""
    while True:
        try:
            return [*things]
        except RuntimeError:
            continue


PRODUCT, MATRIX = 1 << 11, 1 << 15  # elements of the first, of the second matrix from which on a product may be worth looking at
_FEW = 1 << 17       # multiplications below which NumPy's product is as fast, the call included
_MULTIPLIED = 1 << 31  # multiplications by NumPy, since the last `manual_seed`, before machine code does them


class _Products:
    """How much of the work of products NumPy may still do, and then the machine code, for all of them together."""

    def __init__(self):
        self.since, self.left, self.uses = None, 0, {char: Use(0) for char in "fdE"}

    def code(self, work, dtype):
        """The function to use for a product of so many multiplications; None or False: NumPy's."""
        if self.since != runs.seeded:  # so that what comes after a seed is the same each time
            self.since, self.left = runs.seeded, _MULTIPLIED
        if modes.trace is not None:
            self.expect(dtype)
        use = self.uses[dtype.char]
        if self.left > 0 and not runs.fixed:
            self.left -= work if modes.trace is None else 2 * work  # there is little else to wait for
            if self.left <= 0:
                use.prepare(_ready, dtype)
            return None
        return use.code(0, _ready, dtype)

    def expect(self, dtype):
        """A plan will multiply: another thread makes the code, which takes half a second, while the rest is recorded."""
        if dtype.char in self.uses:
            self.uses[dtype.char].prepare(_ready, dtype)


_products = _Products()


def expect_products(dtype):
    """Begin to make the machine code for products of a type."""
    _products.expect(dtype)


def product(a, b, row=None):
    """np.matmul(a, b), plus a row if given, of arrays of at least two dimensions; of bfloat16 rounded once."""
    work = a.size * b.shape[-1]
    if (work >= _FEW or a.dtype.char == "E") and a.dtype.char in "fdE" and a.__class__ is _ndarray is b.__class__:
        run = _products.code(work, a.dtype)
        y = run(a, b, row) if run else None
        if y is not None:
            return y
    half = a.dtype if a.dtype.kind == "V" else None
    if half:
        a, b, row = [v if v is None else converted(v, _F32) for v in (a, b, row)]
        return converted(product(a, b, row), half)
    y = _alone(a, b) if work >= _FEW else np.dot(a, b) if a.ndim == 2 == b.ndim else np.matmul(a, b)
    if row is not None:
        y += row
    return y


def _alone(a, b):
    from .openblas import alone  # noqa: PLC0415 (not before there is much to compute)
    return alone(a, b)


def in_rows(x):
    """An array in row-major order, for a reshape that has to copy: a large one by all threads."""
    if x.size < PLAIN or x.__class__ is not _ndarray or x.flags.c_contiguous \
            or x.strides[-1] != x.itemsize and x.strides[-1] or x.dtype not in _copies:
        return x
    run = _copies[x.dtype].code(x.size, _copier, x.dtype)
    y = run(x) if run else None
    return x if y is None else y


def converted(x, dtype):
    """x.astype(dtype); of many numbers between float32 and another floating-point type by all threads: the same ones."""
    use = _conversions.get((x.dtype.char, dtype.char)) if x.size >= CONVERTED and x.__class__ is _ndarray else None
    run = use.code(x.size, _converter, x.dtype, dtype) if use else None
    y = run(x) if run else None
    return x.astype(dtype) if y is None else y


CONVERTED = 1024  # numbers from which on machine code may convert them
_F32 = np.dtype(np.float32)
_conversions = {kinds: count(BUDGET[PASS]) for other in "edE" for kinds in (("f", other), (other, "f"))}  # by NumPy's letters


def _converter(*kinds):
    return _eager().converter(*kinds)


def joined(arrays, dim):
    """np.concatenate; of much by all threads."""
    first, size = arrays[0], 0
    for x in arrays:
        size += x.size
    if size < 4 * PLAIN or first.dtype not in _copies or not _fit_together(arrays, dim):
        return np.concatenate(arrays, dim)
    kinds = tuple([(x.shape, x.strides) for x in arrays])
    key = dim, first.dtype, kinds
    use = _joins.get(key)
    if use is None:
        if len(_joins) >= _SHAPES:
            _joins.clear()
        use = _joins[key] = count(BUDGET[PLAIN])
    run = use.code(size, _joiner, dim, first.dtype, kinds)
    return run(*arrays) if run else np.concatenate(arrays, dim)


def _fit_together(arrays, dim):
    """Whether these are plain arrays of one type, of equal shapes but for `dim`, which NumPy joins in row-major order."""
    first = arrays[0]
    rest = first.shape[:dim], first.shape[dim + 1:]
    return all([x.__class__ is _ndarray and x.dtype is first.dtype and (x.shape[:dim], x.shape[dim + 1:]) == rest
                and x.ndim == first.ndim and 0 not in x.strides
                and (x.flags.c_contiguous or [*x.strides] == sorted(x.strides, reverse=True)) for x in arrays])


def _joiner(*args):
    return _eager().joiner(*args)


_joins: dict = {}
_copies = {np.dtype(d): count(BUDGET[PLAIN]) for d in (np.float32, np.float64)}


SCANNED = 512  # elements from which on running sums may be machine code
_scans = count(BUDGET[STEPS])


def running_sum(x, dim, reverse):
    """The running sum of an array of float32 or float64 along a dimension by machine code, or None: NumPy has to."""
    if x.__class__ is not _ndarray or x.dtype not in _copies:
        return None
    run = _scans.code(x.size, _scanner)
    return run(np.ascontiguousarray(x), dim, reverse) if run else None


def _scanner():
    return _eager().scanner()


DRAWN = 1024  # random numbers from which on machine code may draw them: the same ones
_draws = count(BUDGET[STEPS])


def drawing(n):
    """What draws n random numbers by machine code, or None: NumPy has to."""
    return _draws.code(n, _twister)


def _twister():
    return _eager().twister()


_FEW_BYTES = 1 << 17  # below this NumPy takes rows as fast
_NARROW = 32  # bytes of a row below which its place costs more than itself
_rows = count(BUDGET[PLAIN])


def taken(x, index):
    """x[index], rows of a table, by machine code; or None: NumPy has to (and says what is wrong with positions)."""
    if index.__class__ is not _ndarray or index.size * x.itemsize < _NARROW or x.__class__ is not _ndarray:
        return None
    width = x[:1].nbytes
    if width < _NARROW or index.size * width < _FEW_BYTES or x.dtype.hasobject or not _are_positions(x, index, len(x)):
        return None
    run = _rows.code(index.size * width // 4, _table)
    return run.take(x, index) if run else None


def rows_added(shape, index, x):
    """Zeros of a shape with the rows of x added at positions, by machine code; or None: NumPy has to."""
    if x.size < 2 * PLAIN or x.dtype not in _copies or x.shape != (*index.shape, *shape[1:]) or 0 in shape:
        return None
    if not _are_positions(x, index, shape[0]):
        return None
    run = _rows.code(x.size, _table)
    return run.add(shape, index, x) if run else None


def _are_positions(x, index, n):
    """Whether data and positions are contiguous, and these in a table of n rows."""
    return index.dtype.char in "lq" and index.itemsize == 8 and index.flags.c_contiguous and x.flags.c_contiguous \
        and index.size and index.min() >= -n and index.max() < n


def _table():
    return _eager().table()


class _Small:
    """Machine code for small arrays, once there is some: see backends/pick.py."""

    pick = top = unit = None


small = _Small()


def _copier(dtype):
    return _eager().copier(dtype)


def _ready(dtype):
    from kobai.backends import blas  # noqa: PLC0415 (slow to load: not before there is much to compute)
    return blas.ready(dtype)


def _eager():
    from kobai.backends import eager  # noqa: PLC0415 (slow to load: not before there is much to compute)
    return eager


def attempt(op, values):
    """The result of an op by machine code, or None: NumPy has to compute it."""
    if runs.seeded != _seeded:
        _start_anew()
    key = tuple([v.dtype if v.__class__ is _ndarray else v.__class__ for v in values])
    if not op.elementwise:
        key += (max([v.ndim for v in values if v.__class__ is _ndarray]),) if op.emit is not None \
            else tuple([v.shape for v in values if v.__class__ is _ndarray])
    use = op.uses.get(key)
    if use is None:
        if not op.uses or len(op.uses) >= _SHAPES:
            op.uses, op.quick = {}, {}
            _ops.add(op)
        use = op.uses[key] = Use(_budget(op, op.inputs, values))
    run = use.ready or use.code(_size(values), _forward_of, op, values)
    if all(v.__class__ is _ndarray for v in values):  # see forward1, forward2
        op.quick[key if len(values) > 1 or not op.elementwise else key[0]] = run or _waiting(op, use)
        if op.pace is not None and use.ready and (op.elementwise or len(values) == 1):
            op.pace.set(values[0], op.elementwise, use.ready)
    return None if run is None else run(*values)  # None: these lie otherwise in memory


def _waiting(op, use):
    """What counts a call that NumPy still computes, and says None; from the last of them on, what `attempt` says."""
    def run(*values):
        if modes.trace is None and not runs.fixed:
            left = use.left - (values[0].size if len(values) == 1 else _size(values)) - CALL
            if left > 0:
                use.left = left
                return None
        return attempt(op, values)
    return run


def _budget(op, names, values):
    """How many elements of its inputs NumPy may compute an op for."""
    budget = BUDGET[op.least]
    return budget if op.visits is None else budget // op.visits(dict(zip(names, values)))


def _forward_of(op, values):
    return _eager().forward_of(op, values)


def _backward_of(*args):
    return _eager().backward_of(*args)


def forward1(op, x):
    """`op.forward(x)` of a large array."""
    if runs.seeded != _seeded:
        _start_anew()
    run = op.quick.get(x.dtype if op.elementwise else (x.dtype, x.ndim))
    y = attempt(op, (x,)) if run is None else run(x)
    return op.forward(x) if y is None else y


def forward2(op, x, y):
    """`op.forward(x, y)`, at least one of which is a large array."""
    if runs.seeded != _seeded:
        _start_anew()
    if x.__class__ is _ndarray and y.__class__ is _ndarray:
        run = op.quick.get((x.dtype, y.dtype) if op.elementwise else (x.dtype, y.dtype, x.ndim))
        if run is not None and (op.elementwise or x.shape == y.shape):
            z = run(x, y)
            return op.forward(x, y) if z is None else z
    elif op.least == PLAIN and _size((x, y)) < 4 * PLAIN:  # with a number the call takes longer
        return op.forward(x, y)
    z = attempt(op, (x, y))
    return op.forward(x, y) if z is None else z


def forward3(op, x, y, z):
    """`op.forward(x, y, z)`, of which x is a large array."""
    if y.__class__ is _ndarray and z.__class__ is _ndarray and runs.seeded == _seeded:
        kinds = x.dtype, y.dtype, z.dtype
        run = op.quick.get(kinds if op.elementwise else (*kinds, x.ndim))
        if run is not None:
            r = run(x, y, z)
            return op.forward(x, y, z) if r is None else r
    return forward(op, x, y, z)


def forward(op, *values):
    """`op.forward(*values)`, one of which is large."""
    y = attempt(op, values)
    return op.forward(*values) if y is None else y


def _size(values):
    return max([v.size for v in values if v.__class__ is _ndarray], default=1)


def backward(op, mask, vjp):
    """The function `vjp` that applies an op's rules, for arrays that are large: with the same saved values."""
    found = op.backs.get(vjp)
    if found is None:
        if not op.backs:
            op.backs = {}
        found = op.backs[vjp] = _backward(op, mask, vjp)
    return found


def _backward(op, mask, vjp):
    uses, count, cells = {}, len(vjp.asks), vjp.cells

    def back(node, g, s):
        if s.__class__ is not tuple or not _plain(g) or cells and sum([c[0] for c in s[count:count + cells]]) != s[-1]:
            return vjp(node, g, s)  # graphs of gradients, and what is an error
        values = (g, *s[:count])
        if runs.seeded != _seeded:
            _start_anew()
        use = _use_of(op, uses, vjp.asks, values)
        run = use.ready or use.code(_size(values), _backward_of, op, mask, vjp.asks, values)
        grads = run(*values) if run is not None else None
        if grads is None:
            return vjp(node, g, s)
        return grads if node.fit is None else fit(grads, node.fit)

    back.asks, back.cells = vjp.asks, cells
    return back


def _plain(g):
    """Whether a gradient, or each of several, is an array or number: no Tensor, no lifted value."""
    if g.__class__ is tuple:
        return all(v is None or _plain(v) for v in g)
    return g.__class__ is _ndarray or isinstance(g, np.generic)


def _kind(v):
    """What machine code for a value depends on, its shape not included."""
    if v.__class__ is _ndarray:
        return v.dtype
    if v.__class__ is tuple:
        return tuple([_kind(x) for x in v]) if any(x.__class__ is _ndarray for x in v) else v
    return v.__class__


def _use_of(op, uses, asks, values):
    """The Use for values of these types; rules of ops that are not elementwise may look at shapes."""
    key = tuple([_kind(v) for v in values])
    if not op.elementwise:
        gs = values[0] if values[0].__class__ is tuple else values[:1]
        key += tuple([v.shape for v in (*gs, *values[1:]) if v.__class__ is _ndarray])
    use = uses.get(key)
    if use is None:
        if len(uses) >= _SHAPES:
            uses.clear()
        use = uses[key] = Use(_budget(op, asks, values[1:]))
    return use


_SHAPES = 64  # combinations of types and shapes that are remembered
