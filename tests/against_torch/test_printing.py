"""Random tensors of all dtypes, sizes and options must print as PyTorch prints them."""

import math
import random

import numpy as np
import pytest

torch = pytest.importorskip("torch")
ml_dtypes = pytest.importorskip("ml_dtypes")

from kobai import printing  # noqa: E402

FLOATS = ["float16", "bfloat16", "float32", "float64"]
DTYPES = [*FLOATS, "complex64", "complex128", "int8", "uint8", "int16", "int32", "int64", "uint16", "bool"]


@pytest.fixture(autouse=True)
def _default_options():
    yield
    printing.set_printoptions(profile="default")
    torch.set_printoptions(profile="default")


def as_numpy(t):
    if t.dtype == torch.bfloat16:
        return t.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return t.numpy()


def some_shape(rng):
    sizes = [0, 1, 2, 3, 4, 7, 8, 12, 30]
    while True:
        shape = [rng.choice(sizes) for _ in range(rng.choice([0, 1, 2, 2, 3, 4]))]
        if len(shape) == 1:
            shape = [rng.choice([0, 1, 2, 5, 20, 100, 1001])]
        if math.prod(shape) < 2500:
            return shape


def some_tensor(rng, dtype):
    """Values of one magnitude or many, integers or not, with a few odd ones among them."""
    kind = getattr(torch, dtype)
    shape = some_shape(rng)
    x = torch.randn(*shape, 2, dtype=torch.float64) * 10.0 ** rng.choice([-6, -4, -2, 0, 0, 0, 1, 3, 6, 9])
    style = rng.choice(["plain", "plain", "plain", "integers", "zeros", "wide"])
    if style == "integers":
        x = x.round()
    elif style == "zeros":
        x *= torch.rand(x.shape) < 0.5
    elif style == "wide":
        x *= torch.exp(10 * torch.rand(x.shape))
    if rng.random() < 0.2 and x.numel():
        for _ in range(3):
            x.view(-1)[rng.randrange(x.numel())] = rng.choice([math.nan, math.inf, -math.inf, 0.0, -0.0])
    if kind.is_complex:
        return torch.view_as_complex(x).to(kind)
    x = x[..., 0]
    if kind == torch.bool:
        return x > 0
    if not kind.is_floating_point:
        x = torch.nan_to_num(x, 0, 0, 0).clamp(-100, 100).to(torch.int64)
    return x.to(kind)


def some_options(rng):
    if rng.random() < 0.5:
        return {}
    return dict(
        precision=rng.choice([None, 1, 2, 6]),
        threshold=rng.choice([None, 0, 5, 50, math.inf]),
        edgeitems=rng.choice([None, 0, 1, 2, 3, 5]),
        linewidth=rng.choice([None, 20, 40, 120]),
        profile=rng.choice([None, "default", "short", "full"]),
        sci_mode=rng.choice([None, True, False]),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_random_tensors(dtype):
    rng = random.Random(dtype)
    torch.manual_seed(rng.randrange(1000))
    for _ in range(100):
        x, options, arguments = some_tensor(rng, dtype), some_options(rng), {}
        if x.is_floating_point() and rng.random() < 0.4:
            x.requires_grad_()
            arguments = dict(requires_grad=True)
            if rng.random() < 0.5:
                x = x.clone()
                arguments["grad_fn_name"] = "CloneBackward0"
        for library in (torch, printing):
            library.set_printoptions(profile="default")
            library.set_printoptions(**options)
        ours = printing.tensor_str(as_numpy(x.detach()), dtype, **arguments)
        assert ours == repr(x), options
        assert printing.get_printoptions() == torch._tensor_str.get_printoptions()


@pytest.mark.parametrize("dtype", FLOATS)
def test_single_numbers(dtype):
    """All magnitudes, from both sides of every threshold of the short way for scalars."""
    numbers = [s * m * 10.0**e for e in range(-9, 10) for m in (0.99996, 1, 1.00004, 3) for s in (1, -1)]
    for number in [*numbers, 0.0, -0.0, math.inf, -math.inf, math.nan]:
        x = torch.tensor(number, dtype=getattr(torch, dtype))
        assert printing.tensor_str(as_numpy(x), dtype) == repr(x)
        assert printing.tensor_str(as_numpy(x)[()], dtype) == repr(x)


def test_default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        for dtype in DTYPES:
            for shape in [(2,), (0,), ()]:
                x = torch.ones(shape, dtype=getattr(torch, dtype))
                assert printing.tensor_str(as_numpy(x), dtype, default_dtype="float64") == repr(x)
    finally:
        torch.set_default_dtype(torch.float32)


def test_parameter():
    p = torch.nn.Parameter(torch.ones(2))
    text = printing.tensor_str(np.ones(2, "float32"), "float32", requires_grad=True)
    assert printing.parameter_str(text) == repr(p)


def test_meta():
    x = torch.empty(2, 3, device="meta", dtype=torch.float64)
    assert printing.tensor_str(np.empty((2, 3)), "float64", device="meta") == repr(x)
