"""Random tensors and in-place random fills: PyTorch's functions over the samplers of `kobai.random`."""
from __future__ import annotations

import numpy as np

from .. import dtypes, random as sampler
from ..autograd.batched import random_function
from ..autograd.mode import runs
from ..diagnose import error
from ..inplace import changed, refuse_leaf, write
from ..op import dtype_of
from ..public import export
from ..tensor import Size, Tensor, wrap
from .arguments import as_dtype, check_options, kind_of, number, sizes
from .creation import _size_keyword, ask, is_asked, made, need_tensor, without_numbers


# ---- of a shape ------------------------------------------------------------------------------
def _ordinary(size):
    """The shape that ints are, or a tuple of them; None for what has to be looked at."""
    if len(size) == 1 and (size[0].__class__ is tuple or size[0].__class__ is Size):
        size = size[0]
    for n in size:
        if n.__class__ is not int or n < 0:
            return None
    return size


def _shaped(sample, name):
    def create(*size, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
               pin_memory=False, names=None, **kwargs):
        if out is dtype is layout is device is generator is None and size and not kwargs and not runs.devices:  # the usual case
            shape = _ordinary(size)
            if shape is not None:
                return made(sample(shape, dtypes.get_default_dtype().np), requires_grad)
        if kwargs or not size:
            size = _size_keyword(kwargs, size, name)
        on_meta = check_options(device, layout, True)
        d = as_dtype(dtype, None, name) or (out.dtype if out is not None else dtypes.get_default_dtype())
        if on_meta:
            return without_numbers(sizes(size, name), d.np, requires_grad)
        return made(sample(sizes(size, name), d.np, gen=generator), requires_grad, out)
    create.__name__ = create.__qualname__ = name
    return create


rand, randn = _shaped(sampler.uniform, "rand"), _shaped(sampler.normal, "randn")
rand.__doc__ = """Uniform random numbers in [0, 1).

>>> _ = kobai.manual_seed(0)
>>> kobai.rand(3)
tensor([0.4963, 0.7682, 0.0885])
"""
randn.__doc__ = """Normal random numbers of mean 0 and variance 1.

>>> _ = kobai.manual_seed(0)
>>> kobai.randn(3)
tensor([ 1.5410, -0.2934, -2.1788])
"""


_INT64 = np.dtype(np.int64)


def randint(*args, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
            pin_memory=False, **kwargs):
    """Random integers, low <= i < high: randint(high, size) or randint(low, high, size)."""
    if not kwargs and 1 < len(args) < 4 and out is dtype is layout is device is None and not runs.devices:
        shape = _ordinary(args[-1:]) if args[-1].__class__ is tuple else None
        if shape is not None and args[0].__class__ is args[-2].__class__ is int:  # the usual case
            low = args[0] if len(args) == 3 else 0
            return made(sampler.randint(shape, _INT64, low, args[-2], generator), requires_grad)
    names = ("high", "size") if len(args) + len(kwargs) == 2 else ("low", "high", "size")
    given = dict(zip(names, args)) | kwargs
    if not {"high", "size"} <= set(given) or set(given) - {"low", "high", "size"} or len(args) > len(names):
        raise error("call-form", TypeError("randint() received an invalid combination of arguments"), fn="randint()",
                    form="randint(high, (3,)), randint(low, high, (3,))")
    if isinstance(given["size"], int):
        raise error("argument-type", TypeError(
                    "randint(): argument 'size' (position 2) must be tuple of ints, not int" if len(args) < 3 else
                    "randint() received an invalid combination of arguments - got (int, int, int)"), what="size",
                    kind="int", must="a tuple of whole numbers", fix="write ({size},) for a row of {size} numbers.",
                    size=given["size"])
    on_meta = check_options(device, layout, True)
    low, high = (int(number(given.get(n, 0), "randint", n)) for n in ("low", "high"))
    d = as_dtype(dtype, None, "randint") or (out.dtype if out is not None else dtypes.int64)
    if on_meta:
        return without_numbers(sizes((given["size"],), "randint"), d.np, requires_grad)
    return made(sampler.randint(sizes((given["size"],), "randint"), d.np, low, high, generator), requires_grad, out)


def randperm(n, *, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
             pin_memory=False):
    """The numbers 0 to n - 1 in random order."""
    check_options(device, layout)
    if isinstance(n, (float, bool, np.floating)) or not hasattr(n, "__index__"):
        raise error("argument-type", TypeError(f"randperm(): argument 'n' (position 1) must be int, not {kind_of(n)}"), what="n",
                    kind=type(n), must="a whole number", fix="write int(n); a // b divides whole numbers.")
    d = as_dtype(dtype, None, "randperm") or (out.dtype if out is not None else dtypes.int64)
    return made(sampler.randperm(int(n), d.np, generator), requires_grad, out)


# ---- like another tensor ---------------------------------------------------------------------
def _like(sample, name):
    def create(input, *, dtype=None, generator=None, layout=None, device=None, requires_grad=False,
               pin_memory=False, memory_format=None):
        need_tensor(input, name)
        if input.__class__ is not Tensor and is_asked(input):
            return ask(create, input, dtype=dtype, generator=generator, device=device, requires_grad=requires_grad)
        on_meta = check_options(device, layout, True) or device is None and input.is_meta
        d = as_dtype(dtype, None, name)
        if on_meta:
            return without_numbers(input._value.shape, dtype_of(input) if d is None else d.np, requires_grad)
        return made(sample(input._value.shape, dtype_of(input) if d is None else d.np, gen=generator),
                    requires_grad)
    create.__name__ = create.__qualname__ = name
    return create


rand_like, randn_like = _like(sampler.uniform, "rand_like"), _like(sampler.normal, "randn_like")
rand_like.__doc__ = "Uniform random numbers in [0, 1) of the shape and dtype of `input`."
randn_like.__doc__ = "Normal random numbers of the shape and dtype of `input`."


def randint_like(input, *args, dtype=None, generator=None, layout=None, device=None, requires_grad=False,
                 pin_memory=False, memory_format=None, **kwargs):
    """Random integers of the shape and dtype of `input`: randint_like(x, high) or randint_like(x, low, high)."""
    need_tensor(input, "randint_like")
    return randint(*args, size=tuple(input._value.shape), dtype=dtype or input.dtype, generator=generator,
                   device=device, layout=layout, requires_grad=requires_grad, **kwargs)


# ---- with given distributions ----------------------------------------------------------------
def normal(mean, std=1.0, size=None, *, generator=None, out=None, dtype=None, layout=None, device=None,
           requires_grad=False, pin_memory=False):
    """Normal random numbers: tensors of means and standard deviations, or two numbers and a size."""
    check_options(device, layout)
    if size is not None:
        d = as_dtype(dtype, None, "normal") or (out.dtype if out is not None else dtypes.get_default_dtype())
        mean, std = number(mean, "normal", "mean"), number(std, "normal", "std", 2)
        return made(sampler.normal(sizes((size,), "normal"), d.np, mean, std, generator), requires_grad, out)
    tensors = [v for v in (mean, std) if isinstance(v, Tensor)]
    if not tensors:
        raise error("argument-missing", TypeError(
                    "normal() received an invalid combination of arguments - got (float, float)"), what="size",
                    fn="normal()",
                    why="mean and std are both numbers, so nothing says how many random numbers there are to be.",
                    fix="give the size, too: normal(mean, std, size=(3,)).")
    mean, std = (v._data if isinstance(v, Tensor) else v for v in (mean, std))
    if np.any(np.less(std, 0)):
        raise error("data-range", RuntimeError(
                    "normal expects all elements of std >= 0.0" if isinstance(std, (np.ndarray, np.generic))
                    else f"normal expects std >= 0.0, but found std {std:g}"), what="std", value=float(np.min(std)),
                    must="a number of at least {low}", low=0,
                    fix="std.abs(), or F.softplus(std) for the output of a network.")
    d = np.result_type(*[t._data.dtype for t in tensors])
    x = sampler.normal(np.broadcast_shapes(np.shape(mean), np.shape(std)), d, gen=generator)
    x = (x * std + mean).astype(d, copy=False)
    return made(np.asarray(x), requires_grad, out)


def bernoulli(input, p=None, *, generator=None, out=None):
    """1 with the probability given by each element (or by `p`), else 0."""
    need_tensor(input, "bernoulli")
    x = input._data
    chance = np.asarray(x) if p is None else p._data if isinstance(p, Tensor) else number(p, "bernoulli", "p", 2)
    return made(sampler.bernoulli(x.shape, x.dtype, chance, generator), out=out)


def multinomial(input, num_samples, replacement=False, *, generator=None, out=None):
    """Indices drawn with probabilities proportional to `input`, or to each of its rows."""
    need_tensor(input, "multinomial")
    return made(np.asarray(sampler.multinomial(input._array(), int(num_samples), replacement, generator)), out=out)


def poisson(input, generator=None):
    """Poisson random numbers whose means are the elements."""
    need_tensor(input, "poisson")
    from .. import draws  # noqa: PLC0415  (few programs need it)
    return made(np.asarray(draws.poisson(input._array(), generator)))


def binomial(count, prob, generator=None):
    """Successes in `count` trials of probability `prob`."""
    need_tensor(count, "binomial", "count")
    from .. import draws  # noqa: PLC0415  (few programs need it)
    return made(np.asarray(draws.binomial(count._array(), prob._array(), generator)))


# ---- in place --------------------------------------------------------------------------------
def _fill(self, sample):
    """Write random numbers into `self`, which must not be a leaf that requires grad."""
    refuse_leaf(self)
    x = self._array()
    if x.flags.c_contiguous:
        values = sample(x.shape, x.dtype)
    else:  # PyTorch fills the memory in its order, whatever the order of the dimensions
        order = sorted(range(x.ndim), key=lambda d: -x.strides[d])
        values = sample(tuple([x.shape[d] for d in order]), x.dtype).transpose(np.argsort(order))
    if not self._rg and self._base is None and x.flags.writeable:
        x[...] = values
        changed(self)
        return self
    return write(self, wrap(values))


def uniform_(self, from_=0, to=1, *, generator=None, **kwargs):
    """Fill with uniform random numbers in [from, to)."""
    low = kwargs.pop("from", from_)
    return _fill(self, lambda s, d: sampler.uniform(s, d, low, to, generator))


def normal_(self, mean=0, std=1, *, generator=None):
    """Fill with normal random numbers."""
    return _fill(self, lambda s, d: sampler.normal(
        s, d, mean, std, generator, serial=not self._array().flags.c_contiguous))


def random_(self, *args, generator=None, **kwargs):
    """Fill with random integers: random_() to the largest, random_(to), random_(from, to)."""
    given = dict(zip(("to",) if len(args) == 1 else ("from", "to"), args)) | kwargs
    if not given:
        return _fill(self, lambda s, d: sampler.random_full_range(s, d, generator))
    return _fill(self, lambda s, d: sampler.randint(s, d, given.get("from", 0), given.get("to"),
                                                               generator))


def bernoulli_(self, p=0.5, *, generator=None):
    """Fill with ones of probability `p` (a number, or a tensor), and zeros."""
    if isinstance(p, Tensor):
        chance = np.broadcast_to(p._data, self.shape)
        return self.copy_(wrap(sampler.bernoulli(self.shape, self._data.dtype, chance, generator)))
    return _fill(self, lambda s, d: sampler.bernoulli(s, d, p, generator))


def exponential_(self, lambd=1, *, generator=None):
    """Fill with exponential random numbers of rate `lambd`."""
    return _fill(self, lambda s, d: sampler.exponential(s, d, lambd, generator))


def geometric_(self, p, *, generator=None):
    """Fill with the numbers of trials until the first success."""
    return _fill(self, lambda s, d: sampler.geometric(s, d, p, generator))


def cauchy_(self, median=0, sigma=1, *, generator=None):
    """Fill with Cauchy random numbers."""
    return _fill(self, lambda s, d: sampler.cauchy(s, d, median, sigma, generator))


def log_normal_(self, mean=1, std=2, *, generator=None):
    """Fill with exp(x), x normal."""
    return _fill(self, lambda s, d: sampler.log_normal(s, d, mean, std, generator))


for _fn in (rand, randn, randint, randperm, rand_like, randn_like, randint_like, normal, bernoulli, multinomial,
            poisson, binomial):
    globals()[_fn.__name__] = random_function(_fn)  # distributions use them, too, also where they are recorded
    export("torch", _fn.__name__, globals()[_fn.__name__])
for _fn in (sampler.get_rng_state, sampler.set_rng_state, sampler.manual_seed, sampler.seed,
            sampler.initial_seed, sampler.Generator):
    export("torch", _fn.__name__, _fn)
export("torch", "default_generator", sampler.default_generator)
for _fn in (bernoulli, multinomial, uniform_, normal_, random_, bernoulli_, exponential_, geometric_, cauchy_,
            log_normal_):
    export("Tensor", _fn.__name__, random_function(_fn))
