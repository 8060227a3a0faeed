"""Random programs: tensors of any shape, dtype and memory layout through random functions, compared with PyTorch.

A tensor is described as data (shape, dtype, seed, a chain of views), so that both packages build the same one.
"""
import os
import re
import warnings

import numpy as np
import pytest

pytest.importorskip("torch")
hypothesis = pytest.importorskip("hypothesis")
import torch  # noqa: E402
from hypothesis import given, settings, strategies as st  # noqa: E402

import kobai  # noqa: E402

EXAMPLES = int(os.environ.get("KOBAI_EXAMPLES", "200"))  # more: KOBAI_EXAMPLES=20000 KOBAI_SEEDS=random
RANDOM = os.environ.get("KOBAI_SEEDS") == "random"
quick = settings(max_examples=EXAMPLES, deadline=None, derandomize=not RANDOM, database=None)
pytestmark = pytest.mark.filterwarnings("ignore")

FLOATS = ("float32", "float64")
DTYPES = (*FLOATS, "float16", "bfloat16", "int64", "int32", "uint8", "bool", "complex64", "complex128")
TOLERANCE = {"float32": 2e-5, "float64": 1e-11, "float16": 2e-2, "bfloat16": 1e-1, "complex64": 5e-5, "complex128": 1e-11}

REFUSED = re.compile("not implemented|not yet implemented|not supported|[Uu]nsupported|does not support|only supports|Expected .* dtype|complex")

shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)


@st.composite
def views(draw, ndim):
    """A chain of views of a tensor with `ndim` dimensions, as (name, arguments)."""
    chain = []
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(["transpose", "step", "unsqueeze", "select", "flip", "expand"]))
        if kind == "transpose" and ndim > 1:
            chain.append(("transpose", (draw(st.integers(0, ndim - 1)), draw(st.integers(-ndim, -1)))))
        elif kind == "step" and ndim:
            chain.append(("step", (draw(st.integers(0, ndim - 1)), draw(st.integers(0, 2)), draw(st.integers(1, 2)))))
        elif kind == "unsqueeze" and ndim < 4:
            chain.append(("unsqueeze", (draw(st.integers(-ndim - 1, ndim)),)))
            ndim += 1
        elif kind == "flip" and ndim:
            chain.append(("flip", ([draw(st.integers(0, ndim - 1))],)))
        elif kind == "expand" and ndim < 4:
            chain.append(("expand", (draw(st.integers(1, 2)),)))
            ndim += 1
        elif kind == "select" and ndim:
            chain.append(("select", (draw(st.integers(0, ndim - 1)),)))
            ndim -= 1
    return chain


@st.composite
def tensors(draw, dtypes=DTYPES, shape=shapes, positive=False):
    """The description of a tensor."""
    s = draw(shape)
    return s, draw(st.sampled_from(dtypes)), draw(st.integers(0, 2**16)), draw(views(len(s))), positive


def build(package, description, requires_grad=False):
    """(the leaf, the tensor that is a view of it) as a package makes them."""
    shape, dtype, seed, chain, positive = description
    involved.extend([dtype] * (dtype in TOLERANCE))
    rng = np.random.default_rng(seed)
    low = 0.5 if positive else -3.0
    a = rng.uniform(low, 3.0, shape).round(2)
    if dtype.startswith("complex"):
        a = a + 1j * rng.uniform(low, 3.0, shape).round(2)
    elif dtype in ("uint8", "bool"):
        a = np.abs(a)
    leaf = package.tensor(np.asarray(a > 1.5 if dtype == "bool" else a).tolist()).reshape(shape).to(getattr(package, dtype))
    leaf = leaf.detach().clone().requires_grad_(requires_grad and leaf.is_floating_point())
    x = leaf
    for name, args in chain:
        if name == "step":
            dim, start, step = args
            x = x[(slice(None),) * dim + (slice(start, None, step),)]
        elif name == "expand":
            x = x.expand(*args, *x.shape)
        elif name == "select" and x.shape[args[0]]:
            x = x.select(args[0], 0)
        elif name != "select":
            x = getattr(x, name)(*args)
    sizes.append(x.numel())
    return leaf, x


def outcome(run, package):
    """What `run(package)` gives, as NumPy arrays with dtypes; or the type of its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(run(package), package)
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as e:
            return "error", type(e).__name__, str(e).split("\n")[0]


def plain(v, package):
    if isinstance(v, package.Tensor):
        v = v.detach()
        v = v.resolve_conj().resolve_neg() if package is torch else v
        name = str(v.dtype).removeprefix("torch.")
        return name, (v.float() if name in ("bfloat16", "float16") else v).numpy().copy()
    if isinstance(v, (tuple, list)):
        return [plain(x, package) for x in v]
    return v


def tolerance(dtype):
    return max([TOLERANCE[d] for d in involved] + [TOLERANCE.get(dtype, 0)])


sizes = []          # of the tensors in the example
involved = []       # the dtypes of the tensors in the example, where the shortest decides how exact a result is


def same(ours, theirs, path="result"):
    """Both fail, or both give equal dtypes, shapes and numbers; kobai may know more dtypes than PyTorch."""
    if isinstance(theirs, tuple) and theirs[0] == "error" and REFUSED.search(theirs[2]):
        return
    if isinstance(ours, tuple) and ours[0] == "error" and (empty(theirs) or "for 'Complex" in ours[2] or 0 in sizes):
        return  # PyTorch hardly checks the arguments where there is nothing to compute
    if isinstance(theirs, tuple) and theirs[0] == "error" or isinstance(ours, tuple) and ours[0] == "error":
        assert isinstance(ours, tuple) and isinstance(theirs, tuple) and ours[0] == theirs[0] == "error", (
            f"{path}: kobai {ours}, torch {theirs}")
    elif isinstance(theirs, list):
        assert isinstance(ours, list) and len(ours) == len(theirs), f"{path}: kobai {ours}, torch {theirs}"
        for i, (a, b) in enumerate(zip(ours, theirs)):
            same(a, b, f"{path}[{i}]")
    elif isinstance(theirs, tuple):
        assert ours[0] == theirs[0] and ours[1].shape == theirs[1].shape, f"{path}: kobai {ours}, torch {theirs}"
        t = tolerance(theirs[0])
        np.testing.assert_allclose(ours[1], theirs[1], rtol=t, atol=t, err_msg=path)
    else:
        assert ours == theirs, f"{path}: kobai {ours!r}, torch {theirs!r}"


def empty(result):
    """Whether a result has no elements."""
    return all(empty(v) for v in result) if isinstance(result, list) else not getattr(result[1], "size", 1)


def check(run):
    involved.clear()
    sizes.clear()
    same(outcome(run, kobai), outcome(run, torch))


UNARY = """abs neg exp sin cos tanh sigmoid sqrt log relu square reciprocal sign floor ceil round trunc isnan isfinite
logical_not erf expm1 log1p rsqrt frac atan sinh cosh asinh softplus gelu silu elu leaky_relu hardtanh logsigmoid mish sgn angle
conj real positive bitwise_not signbit exp2 log2 sinc logit nan_to_num deg2rad""".split()
BINARY = """add sub mul div maximum minimum pow atan2 eq ne lt le gt ge logical_and logical_xor fmod remainder floor_divide
hypot bitwise_and bitwise_or fmax copysign xlogy logaddexp true_divide ldexp heaviside nextafter""".split()
REDUCE = """sum mean prod amax amin any all argmax argmin std var logsumexp norm count_nonzero median nansum nanmean max min
cumsum cumprod softmax log_softmax sort argsort logcumsumexp cummax diff flip unbind mode aminmax var_mean unique flatten""".split()


def function(package, name):
    f = getattr(package, name, None)
    return f if f is not None and not isinstance(f, type) else getattr(package.nn.functional, name)


@quick
@given(name=st.sampled_from(UNARY), x=tensors())
def test_unary(name, x):
    check(lambda p: function(p, name)(build(p, x)[1]))


@quick
@given(name=st.sampled_from(BINARY), x=tensors(), y=tensors(), data=st.data())
def test_binary(name, x, y, data):
    """Broadcasting and promotion, also of tensors without dimensions."""
    if data.draw(st.booleans()):
        y = (x[0][-len(y[0]):] if y[0] else (), *y[1:3], [], y[4])
    check(lambda p: function(p, name)(build(p, x)[1], build(p, y)[1]))


@quick
@given(name=st.sampled_from(BINARY), x=tensors(), number=st.sampled_from([2, -1, 0.5, 3.0, True, 0]), left=st.booleans())
def test_numbers(name, x, number, left):
    """Python numbers take part in promotion by their kind only; as operators from both sides."""
    symbols = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "lt": "<", "eq": "==", "floor_divide": "//",
               "remainder": "%", "bitwise_and": "&"}
    symbol = symbols.get(name, "+")
    text = f"number {symbol} x" if left else f"x {symbol} number"
    check(lambda p: eval(text, {"x": build(p, x)[1], "number": number}))


@quick
@given(name=st.sampled_from(REDUCE), x=tensors(), dim=st.integers(-3, 2), keepdim=st.booleans())
def test_along_a_dimension(name, x, dim, keepdim):
    takes = {"sum", "mean", "prod", "amax", "amin", "any", "all", "argmax", "argmin", "std", "var", "logsumexp", "norm", "max",
             "min", "median", "mode"}
    kwargs = {"keepdim": keepdim} if name in takes else {}
    if name == "median" and any(view == "expand" for view, _ in x[3]):
        return  # PyTorch 2.13 gives what is in uninitialised memory
    only_values = {"max", "min", "median", "sort", "cummax", "mode"}  # ties may be broken either way

    def run(p):
        f = function(p, name)
        t = build(p, x)[1]
        if name == "unique":
            return f(t)
        if name in ("aminmax", "flip"):
            return list(f(t, dim=dim)) if name == "aminmax" else f(t, [dim])
        if name == "flatten":
            return f(t, dim)
        y = f(t, dim, **kwargs)
        if name in ("argmax", "argmin", "argsort"):
            return [y.dtype == p.int64, list(y.shape)]
        return y[0] if name in only_values else list(y) if name in ("unbind", "var_mean") else y
    check(run)


GRADIENTS = ["exp", "sin", "tanh", "sigmoid", "relu", "square", "abs", "gelu", "softplus", "silu", "elu", "log_softmax", "softmax",
             "sum", "mean", "prod", "cumsum", "logsumexp", "amax", "var", "cumprod", "norm"]


@quick
@given(names=st.lists(st.sampled_from(GRADIENTS), min_size=1, max_size=3), x=tensors(FLOATS), y=tensors(FLOATS),
       kind=st.sampled_from(["add", "mul", "sub", "div", "maximum", "none"]))
def test_gradients(names, x, y, kind):
    """The gradients of chains of functions of views, with broadcasting, for both leaves."""
    y = (y[0], x[1], *y[2:])
    if names.count("exp") > 1:
        return  # the last bit of the inner one decides
    def run(p):
        leaves, (a, b) = zip(build(p, x, True), build(p, y, True))
        value = a if kind == "none" else getattr(p, kind)(a, b * b + 1 if kind == "div" else b)
        for name in names:
            value = function(p, name)(value, *(-1,) if name in GRADIENTS[11:] and name not in ("sum", "mean", "norm") else ())
        return [value, *p.autograd.grad((value * 0.5).sum(), leaves, allow_unused=True)]
    check(run)


@quick
@given(x=tensors(FLOATS + ("int64", "bool")), steps=st.lists(st.tuples(
    st.sampled_from(["add_", "mul_", "zero_", "fill_", "copy_", "clamp_", "setitem", "neg_", "masked_fill_", "abs_"]),
    views(2), st.integers(-2, 3)), min_size=1, max_size=3))
def test_writing_into_views(x, steps):
    """What is written into a view is seen in its base and in other views of the same memory."""
    def run(p):
        leaf, view = build(p, x)
        others = [leaf.reshape(-1)[::2] if leaf.numel() else leaf, leaf.t() if leaf.ndim == 2 else leaf]
        for name, _, number in steps:
            if name == "setitem":
                if view.ndim:
                    view[..., :1] = number
            elif name == "masked_fill_":
                view.masked_fill_(view > 0, number)
            elif name == "copy_":
                view.copy_(p.arange(view.numel()).reshape(view.shape))
            elif name in ("zero_", "neg_", "abs_"):
                getattr(view, name)()
            else:
                getattr(view, name)(number)
        return [leaf, view, *others, leaf._version]
    if any(name == "expand" for name, _ in x[3]):
        return  # several elements in one place: PyTorch refuses
    check(run)


@quick
@given(x=tensors(FLOATS), number=st.integers(1, 3), which=st.sampled_from(["mul_", "add_", "setitem", "sigmoid_", "copy_"]))
def test_gradients_through_writing(x, number, which):
    def run(p):
        leaf, _ = build(p, (*x[:3], [], x[4]), True)
        base = leaf * 1.5
        view = base
        for name, args in x[3]:
            if name in ("transpose", "unsqueeze"):
                view = getattr(view, name)(*args)
            elif name == "step":
                view = view[(slice(None),) * args[0] + (slice(args[1], None, args[2]),)]
        if which == "setitem":
            view[...] = number
        elif which == "sigmoid_":
            view.sigmoid_()
        elif which == "copy_":
            view.copy_(leaf.sum() * number)
        else:
            getattr(view, which)(number)
        return [base, p.autograd.grad((base * base).sum(), leaf, allow_unused=True)[0]]
    check(run)


@quick
@given(x=tensors(), index=st.lists(st.one_of(
    st.integers(-3, 2), st.just(...), st.none(), st.booleans(), st.builds(slice, st.none() | st.integers(-3, 3), st.none() | st.integers(-3, 3),
                                                                          st.none() | st.integers(1, 2)),
    st.lists(st.integers(-2, 1), min_size=1, max_size=3)), max_size=3))
def test_subscripts(x, index):
    if sum(v is ... for v in index) > 1:
        return
    check(lambda p: build(p, x)[1][tuple([p.tensor(v) if isinstance(v, list) else v for v in index])])


@quick
@given(x=tensors(DTYPES, st.lists(st.integers(0, 4), min_size=1, max_size=4).map(tuple)), y=tensors(DTYPES, st.lists(
    st.integers(0, 4), min_size=1, max_size=4).map(tuple)), fit=st.booleans())
def test_matmul(x, y, fit):
    if fit:
        y = ((x[0][-1], *y[0][1:2]), x[1], y[2], [], y[4])
        x = (*x[:3], [], x[4])
    check(lambda p: build(p, x)[1] @ build(p, y)[1])
