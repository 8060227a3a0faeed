"""Random numbers: PyTorch's generator and samplers, on NumPy arrays.

`manual_seed(0)` gives the numbers that `torch.manual_seed(0)` gives on the CPU, bit for bit, in
every sampler here: an article's printed loss is its reader's.  (The last bit may differ where
PyTorch itself differs, as between x86-64 and ARM.)  Three facts make that possible.
PyTorch's generator is the Mersenne Twister MT19937, which NumPy also has; which bits of its words
become which number is fixed below; and PyTorch's compiled loops fuse multiply and add, which
`kobai.exact` does too.  Logarithms, sines and the like of float64 results come from the C library,
as PyTorch's do; for narrower results NumPy's faster ones agree after rounding.

Samplers take a shape and a NumPy dtype and return an array in C order.  A Tensor's methods, and
the checks that need a Tensor, are in `kobai.ops.random`.
"""

import math
import sys
from contextlib import contextmanager
from functools import lru_cache

import numpy as np

from kobai.autograd.mode import runs
from kobai.diagnose import error
from kobai.dtypes import c_name, type_word
from kobai.exact import c_library, cos_sin, fma, normal_pairs
from kobai.generator import Generator

__all__ = [
    "Generator", "default_generator", "manual_seed", "seed", "initial_seed",
    "get_rng_state", "set_rng_state", "fork_rng",
    "uniform", "normal", "log_normal", "exponential", "geometric", "cauchy", "bernoulli",
    "randint", "random_full_range", "randperm", "multinomial",
]  # fmt: skip

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)
default_generator = Generator()
default_generator.seed()


def manual_seed(seed):
    """Seed the default generator; returns it.

    >>> manual_seed(0) is default_generator
    True
    """
    runs.seeded += 1
    runs.seeds[0] = runs.seeded
    return default_generator.manual_seed(int(seed))


def seed():
    """Seed the default generator from the operating system; returns the seed."""
    return default_generator.seed()


def initial_seed():
    """The default generator's seed.

    >>> _ = manual_seed(7)
    >>> initial_seed()
    7
    """
    return default_generator.initial_seed()


def get_rng_state():
    """The default generator's state, a tensor of 5056 uint8."""
    return default_generator.get_state()


def set_rng_state(state):
    """Go on from a state of `get_rng_state`."""
    default_generator.set_state(state)


@contextmanager
def fork_rng(devices=None, enabled=True, _caller="fork_rng", _devices_kw="devices", device_type="cuda"):
    """Leave the default generator, after a ``with`` block, where it was before.

    >>> _ = manual_seed(1)
    >>> with fork_rng():
    ...     inside = uniform((), np.float32)
    >>> bool(uniform((), np.float32) == inside)
    True
    """
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)


# ---------------------------------------------------------------------------- arithmetic


def _size(shape):
    return math.prod(shape)


def _cast(x, dtype, shape):
    """`x` in the dtype asked for; PyTorch takes float64 to 16 bits by way of float32."""
    if dtype.itemsize < 4 and x.dtype == np.float64 and dtype.kind not in "biu":
        x = x.astype(np.float32)
    return x.astype(dtype, copy=False).reshape(shape)


def real_dtype(np_dtype, kernel, integers=False, narrow=True):
    """The dtype, if it is a floating one (or allowed otherwise); PyTorch's error if not."""
    dtype = np.dtype(np_dtype)
    if dtype.kind in "bc" or (dtype.kind in "iu" and not integers) or (dtype.itemsize < 4 and not narrow):
        raise _not_implemented(kernel, dtype)
    return dtype


def _not_implemented(kernel, dtype):
    plain = NotImplementedError(f'"{kernel}" not implemented for \'{type_word(dtype)}\'')
    return error("tensor-dtype", plain, what="the result", dtype=dtype, fn=kernel, must="floating point numbers",
                 why="there are no such random numbers of type {dtype}.", fix="ask for dtype=torch.float32.")


def _digits(dtype):
    """Bits of the significand: integers up to 2^digits are exact."""
    return {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}[dtype.name]


# ---------------------------------------------------------------------------- continuous


def uniform(shape, np_dtype, low=0.0, high=1.0, gen=None):
    """Uniform numbers in [low, high).

    float64 takes 53 bits of two words, all narrower dtypes 24 bits of one; a number that
    rounding would lift to `high` is `low` instead.

    >>> _ = manual_seed(0)
    >>> uniform((2,), np.float64, -1, 1)
    array([0.940106  , 0.41563973])
    """
    dtype = np.dtype(np_dtype)
    if low == 0 and high == 1 and (dtype is _F32 or dtype is _F64):
        gen, n = gen or default_generator, _size(shape)
        return (gen._unit32(n) if dtype is _F32 else gen._unit64(n)).reshape(shape)
    if dtype.kind == "c":
        real = np.empty(0, dtype).real.dtype
        return uniform((*shape, 2), real, low, high, gen).view(dtype).reshape(shape)
    dtype = real_dtype(dtype, "check_uniform_bounds")
    _check_uniform(low, high, dtype)
    gen, n = gen or default_generator, _size(shape)
    x = gen._unit64(n) if dtype == np.float64 else gen._unit32(n)
    unit = (low, high) == (0, 1)
    if not unit:
        low, high = x.dtype.type(low), x.dtype.type(high)
        x = fma(x, high - low, low)
    x = _cast(x, dtype, shape)
    if not unit or dtype.itemsize < 4:
        x[x == dtype.type(high)] = dtype.type(low)
    return x


def _check_uniform(low, high, dtype):
    if 0 <= low <= high <= 1:
        return
    largest = float(_largest(dtype))
    for name, value in (("from", low), ("to", high)):
        if not -largest <= value <= largest:
            raise error("argument-value", RuntimeError(f"{name} is out of bounds for {dtype.name}: {value}"),
                        what=name, value=value, must="a number between {low} and {high}", low=-largest, high=largest)
    if low > high:
        raise error("arguments-exclude", RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}"),
            what="from", other="to", why="from ({low}) is larger than to ({high}).", low=low, high=high,
            fix="swap the two bounds.")
    if high - low > largest:
        raise error("argument-value", RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{type_word(dtype)}>::max(), but found "
            f"to={high:g} and from={low:g} which result in to-from to exceed the limit"),
            what="to - from", value=high - low, must="a number of at most {high}", high=largest)


@lru_cache(32)
def _largest(dtype):
    if dtype.name == "bfloat16":
        return (2 - 2.0**-7) * 2.0**127
    return np.finfo(dtype).max


def normal(shape, np_dtype, mean=0.0, std=1.0, gen=None, *, serial=False):
    """Normal numbers, by Box and Muller.

    As in PyTorch, 16 elements or more come from another arrangement of the stream than fewer:
    blocks of 16 uniforms whose halves are paired, in the dtype's own precision.  `serial` asks
    for the other arrangement at any size, which PyTorch uses for tensors that are not contiguous.

    >>> _ = manual_seed(0)
    >>> normal((3,), np.float32)
    array([ 1.5409961, -0.2934289, -2.1787894], dtype=float32)
    """
    dtype = np.dtype(np_dtype)
    if not std >= 0:
        raise error("argument-value", RuntimeError(f"normal expects std >= 0.0, but found std {std:g}"),
                    what="std", value=std, must="a number of at least {low}", low=0)
    if dtype.kind == "c":
        real = np.empty(0, dtype).real.dtype
        pairs = normal((*shape, 2), real, mean, std / math.sqrt(2), gen, serial=serial)
        return pairs.view(dtype).reshape(shape)
    dtype = real_dtype(dtype, "normal_kernel_cpu")
    gen, n = gen or default_generator, _size(shape)
    if n < 16 or serial:
        return _cast(_serial_normals(n, mean, std, gen), dtype, shape)
    return _cast(_block_normals(n, mean, std, gen, dtype), dtype, shape)


def _serial_normals(n, mean, std, gen):
    """Pairs one after the other, in float64; the spare half of the last is kept."""
    spare = [] if gen._spare_normal is None or n == 0 else [gen._spare_normal]
    first, pairs = len(spare), (n - len(spare) + 1) // 2
    u = gen._unit64(2 * pairs)
    if pairs <= _FEW:
        x = np.array([*spare, *_paired(u.tolist())])
    else:
        x = np.empty(first + 2 * pairs)
        radius = np.sqrt(-2.0 * c_library("log1p", -u[1::2]))
        cos, sin = cos_sin(2.0 * math.pi * u[0::2])
        x[:first], x[first::2], x[first + 1 :: 2] = spare, radius * cos, radius * sin
    if n:
        gen._spare_normal = float(x[n]) if len(x) > n else None
    return fma(x[:n], std, mean)


_FEW = 8  # pairs for which NumPy's calls take longer than the numbers


def _paired(u):
    """What `_serial_normals` makes of a list of uniforms, number by number."""
    for turn, size in zip(u[::2], u[1::2]):
        radius, angle = math.sqrt(-2.0 * math.log1p(-size)), 2.0 * math.pi * turn
        yield radius * math.cos(angle)
        yield radius * math.sin(angle)


def _block_normals(n, mean, std, gen, dtype):
    """Blocks of 16; the last 16 are drawn anew when the blocks do not come out even."""
    unit = gen._unit64 if dtype == np.float64 else gen._unit32
    whole, rest = n - n % 16, n % 16
    # float32 and float64 draw for the rest, too, before it is overwritten.
    u = unit(n if dtype.itemsize >= 4 else whole)[:whole]
    if not rest:
        return fma(_box_muller(u), std, mean)
    x = _box_muller(np.concatenate((u, unit(16))))  # at once: for few, calls take the time
    return fma(np.concatenate((x[:n - 16], x[-16:])), std, mean)


def _box_muller(u):
    """Blocks of 16 uniforms to blocks of 16 normals: j and j + 8 make a pair."""
    u = u.reshape(-1, 2, 8)
    y = np.empty_like(u)
    y[:, 0].flat, y[:, 1].flat = normal_pairs(1 - u[:, 0], u[:, 1].copy())
    return y.reshape(-1)


def log_normal(shape, np_dtype, mean=1.0, std=2.0, gen=None):
    """exp(x) with x normal.

    >>> _ = manual_seed(0)
    >>> log_normal((2,), np.float32, mean=0, std=1)
    array([4.669239 , 0.7457022], dtype=float32)
    """
    dtype = real_dtype(np_dtype, "log_normal_cpu")
    if not std > 0:
        raise error("argument-value", RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}"),
                    what="std", value=std, must="a positive number")
    x = _serial_normals(_size(shape), mean, std, gen or default_generator)
    with np.errstate(over="ignore"):
        return _cast(c_library("exp", x, dtype), dtype, shape)


def exponential(shape, np_dtype, rate=1.0, gen=None):
    """Exponential numbers -log(1 - u) / rate.

    >>> _ = manual_seed(0)
    >>> exponential((2,), np.float32)
    array([3.5083263, 1.2303847], dtype=float32)
    """
    dtype = _continuous(np_dtype, "Exponential")
    if not rate > 0:
        raise error("argument-value", RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}"),
                    what="lambd", value=rate, must="a positive number")
    u = (gen or default_generator)._unit64(_size(shape))
    return _cast((-1.0 / rate) * c_library("log1p", -u, dtype), dtype, shape)


def _continuous(np_dtype, name):
    """The dtype, if it is a floating one; what PyTorch says of these distributions if not."""
    dtype = np.dtype(np_dtype)
    if dtype.kind in "biuc":
        raise error("tensor-dtype", RuntimeError(
            f"{name} distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {(c_name if name == 'Cauchy' else type_word)(dtype)}"), what="the tensor", dtype=dtype,
            fn=f"{name.lower()}_()",
            must="floating point numbers", fix="x.float() first.")
    return dtype


def geometric(shape, np_dtype, p, gen=None):
    """Trials until the first success, ceil(log u / log(1 - p)); integer dtypes, too.

    >>> _ = manual_seed(0)
    >>> geometric((4,), np.int64, 0.5)
    array([1, 1, 2, 1])
    """
    dtype = real_dtype(np_dtype, "geometric_cpu", integers=True)
    if not 0 < p < 1:
        raise error("argument-value", RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}"),
                    what="p", value=p, must="a number above {low} and below {high}", low=0, high=1)
    u = (gen or default_generator)._unit64(_size(shape))
    with np.errstate(divide="ignore"):
        return _cast(np.ceil(np.log(u) / math.log1p(-p)), dtype, shape)


def cauchy(shape, np_dtype, median=0.0, sigma=1.0, gen=None):
    """Cauchy numbers median + sigma tan(pi (u - 1/2)).

    >>> _ = manual_seed(0)
    >>> cauchy((2,), np.float32)
    array([10.59773  ,  0.7647673], dtype=float32)
    """
    dtype = _continuous(np_dtype, "Cauchy")
    if not sigma > 0:
        raise error("argument-value", RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}"),
                    what="sigma", value=sigma, must="a positive number")
    u = (gen or default_generator)._unit64(_size(shape))
    return _cast(fma(c_library("tan", math.pi * (u - 0.5), dtype), sigma, median), dtype, shape)


# ---------------------------------------------------------------------------- discrete


def bernoulli(shape, np_dtype, p=0.5, gen=None):
    """1 with probability `p`, else 0; `p` is a number, or an array broadcast to the shape.

    A number or a float64 array is compared with 53 random bits, an array of another dtype with 24.

    >>> _ = manual_seed(0)
    >>> bernoulli((4,), np.bool_, 0.5)
    array([False, False,  True, False])
    """
    dtype = np.dtype(np_dtype)
    if dtype.kind == "c":
        raise _not_implemented("bernoulli_scalar_cpu_", dtype)
    gen, n = gen or default_generator, _size(shape)
    if isinstance(p, np.ndarray):
        real_dtype(p.dtype, "bernoulli_tensor_cpu_p_")
        outside = p[~((p >= 0) & (p <= 1))]
        if outside.size:
            raise error("data-range", RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false."), what="p",
                        value=float(outside.flat[0]), must="a number between {low} and {high}", low=0, high=1)
    else:
        if not 0 <= p <= 1:
            raise error("argument-value", RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}"),
                        what="p", value=float(p), must="a number between {low} and {high}", low=0, high=1)
        p = np.float64(p)
        if dtype == np.float32:
            return gen._hits(n, p).reshape(shape)
    if p.dtype == np.float64:
        hit = gen._unit64(n).reshape(shape) < p
    else:
        hit = gen._unit32(n).reshape(shape) < p.astype(np.float32)
    return hit.astype(dtype)


def randint(shape, np_dtype, low, high, gen=None):
    """Integers in [low, high); `high` None means all that the dtype holds exactly.

    A word of 32 bits modulo the range, or two words from a range of 2^28 on.  (So very large
    ranges that do not divide the word are uneven by up to 5 %, in PyTorch and here.)

    >>> _ = manual_seed(0)
    >>> randint((4,), np.int64, 0, 100)
    array([44, 39, 33, 60])
    """
    dtype = np.dtype(np_dtype)
    if dtype.kind == "c":
        raise error("tensor-dtype", RuntimeError(
            "check_random_bounds handles only integral, floating-point and boolean types"), what="the result",
            dtype=dtype, fn="random_()", must="numbers that are not complex", fix="fill x.real and x.imag, one by one.")
    if high is None:
        if low == -(2**63):
            return _cast((gen or default_generator)._long(_size(shape)).view(np.int64), dtype, shape)
        high = _bounds(dtype)[1] + 1
    if low >= high:
        raise error("arguments-exclude", RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"), what="from", other="to",
            why="the upper end is not included, so it must exceed the lower one.",
            fix="randint(0, 6, size) gives 0 to 5: write the smallest number and the one after the largest.")
    low, high = _representable(low, high, dtype)
    draw = (gen or default_generator)._long if high - low >= 2**28 else (gen or default_generator)._word
    offset = draw(_size(shape)) % np.uint64(high - low)
    return _cast(offset.view(np.int64) + np.int64(low), dtype, shape)


def random_full_range(shape, np_dtype, gen=None):
    """`tensor.random_()`: integers from 0 to the largest of the dtype, or to 2^digits for floats.

    >>> _ = manual_seed(0)
    >>> random_full_range((3,), np.uint8)
    array([172,  47, 117], dtype=uint8)
    """
    dtype = np.dtype(np_dtype)
    if dtype.kind == "c" or dtype in (np.uint16, np.uint32, np.uint64):
        raise _not_implemented("random_kernel_cpu", dtype)
    gen, n = gen or default_generator, _size(shape)
    draw = gen._long if dtype in (np.int64, np.float64) else gen._word
    count = _bounds(dtype)[1] + 1
    return _cast((draw(n) % np.uint64(count)).view(np.int64), dtype, shape)


@lru_cache(32)
def _bounds(dtype):
    """First and last integer of a dtype; for floats, of the consecutive ones."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return int(info.min), min(int(info.max), 2**63 - 1)
    return -(2 ** _digits(dtype)), 2 ** _digits(dtype)


def _representable(low, high, dtype):
    """The range, moved inwards to numbers that the dtype has; RuntimeError if it has too few."""
    if dtype.kind in "biu":
        first, last = _bounds(dtype)
    else:
        first, last = -float(_largest(dtype)), float(_largest(dtype))
    for name, value in (("from", low), ("to - 1", high - 1)):
        if not first <= value <= last:
            raise error("argument-value", RuntimeError(f"{name} is out of bounds for {dtype.name}: {value}"), what=name,
                        value=value, must="a number between {low} and {high}", low=first, high=last)
    if dtype.kind in "biu":
        return low, high
    above, below = int(dtype.type(low + 1)), int(dtype.type(high - 1))
    if above < low:  # rounded out of the range: one step of the dtype back in
        low = above + (1 << (abs(low + 1).bit_length() - _digits(dtype)))
    if below >= high:
        high = below - (1 << (abs(high - 1).bit_length() - _digits(dtype)))
    return low, high


def randperm(n, np_dtype=np.int64, gen=None):
    """The numbers 0 to n - 1 in random order (Fisher and Yates).

    >>> _ = manual_seed(0)
    >>> randperm(6)
    array([2, 5, 3, 0, 1, 4])
    """
    dtype = np.dtype(np_dtype)
    if n < 0:
        raise error("argument-value", RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]"),
                    what="n", value=n, must="a whole number of at least {low}", low=0)
    if dtype.kind in "bc":
        raise _not_implemented("randperm", dtype)
    most = _bounds(dtype)[1] + 1
    if n > most:
        raise error("argument-value", RuntimeError(f"n cannot be greater than {most} for {type_word(dtype)} type."),
                    what="n", value=n, must="a number of at most {high}", high=most, fix="ask for dtype=torch.int64.")
    steps = max(n - 1, 0)
    swaps = (gen or default_generator)._word(steps) % np.arange(n, n - steps, -1, dtype=np.uint64)
    return _swapped(n, np.arange(steps) + swaps.view(np.int64)).astype(dtype)


def _swapped(n, partners):
    """0 to n - 1 after exchanging place i with place partners[i], for i = 0, 1, ..."""
    if n > 2**18 or (n > 2**12 and "scipy.linalg" in sys.modules):
        try:
            from scipy.linalg.lapack import dlaswp  # noqa: PLC0415 -- row exchanges, 20 times faster than a loop
        except ImportError:
            pass
        else:
            return dlaswp(np.arange(n, dtype=np.float64)[:, None], partners.astype(np.int32))[:, 0]
    order = list(range(n))
    for i, j in enumerate(partners.tolist()):
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.int64)


def multinomial(weights, n_sample, replacement=False, gen=None):
    """Indices drawn with probability proportional to `weights` (1-d, or each row of 2-d).

    Without replacement: those with the largest weight / e, where e is exponential.

    >>> _ = manual_seed(0)
    >>> multinomial(np.float32([0.1, 0.6, 0.3]), 6, replacement=True)
    array([2, 2, 1, 2, 1, 2])
    """
    _check_multinomial(weights, n_sample, replacement)
    gen = gen or default_generator
    if not replacement or n_sample == 1:
        race = exponential(weights.shape, weights.dtype, gen=gen)
        with np.errstate(all="ignore"):
            race = (weights / race).astype(np.float64)
        if n_sample == 1:
            return race.argmax(-1)[..., None]
        return np.argsort(-race, axis=-1, kind="stable")[..., :n_sample]
    rows = weights.reshape(-1, weights.shape[-1])
    steps = np.add.accumulate(rows if rows.dtype.itemsize >= 4 else rows.astype(np.float32), axis=1)
    steps /= steps[:, -1:].copy()
    steps[:, -1] = 1
    u = gen._unit64(len(rows) * n_sample).reshape(len(rows), n_sample)
    picks = [np.searchsorted(row, wanted) for row, wanted in zip(steps.astype(np.float64), u)]
    return np.array(picks, np.int64).reshape(*weights.shape[:-1], n_sample)


def _check_multinomial(weights, n_sample, replacement):
    if not 0 < weights.ndim <= 2:
        raise error("tensor-dims", RuntimeError("prob_dist must be 1 or 2 dim"), what="input", shape=weights.shape,
                    need="{n} or {m}", n=1, m=2)
    if weights.dtype.kind in "biuc":
        raise error("tensor-dtype", RuntimeError(
            "multinomial only supports floating-point dtypes for input, got: " + type_word(weights.dtype)), what="input",
            dtype=weights.dtype, fn="multinomial()", must="floating point numbers", fix="convert it first: x.float().")
    if n_sample <= 0:
        raise error("argument-value", RuntimeError("cannot sample n_sample <= 0 samples"), what="num_samples",
                    value=n_sample, must="a positive whole number")
    if not replacement and n_sample > weights.shape[-1]:
        raise error("argument-value", RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement"), what="num_samples",
            value=n_sample, must="a number of at most {high}", high=weights.shape[-1],
            fix="pass replacement=True to draw the same entry more than once, or draw at most {high}.")
    outside = weights[~((weights >= 0) & (weights < np.inf))]
    if outside.size:
        raise error("data-range", RuntimeError("probability tensor contains either `inf`, `nan` or element < 0"),
                    what="input", value=float(outside.flat[0]), must="a number of at least {low}", low=0,
                    fix="torch.softmax(logits, -1) makes probabilities of any numbers.")
    if not np.all(weights.sum(-1) > 0):
        raise error("data-range", RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)"),
                    what="input", value=0.0, must="a positive number",
                    why="in one row all weights are 0, so nothing can be drawn from it.",
                    fix="give each row at least one positive weight.")
