"""Initialisation: for a seed, PyTorch's numbers; otherwise, what each function promises."""
import math

import pytest

import kobai
from kobai import nn
from kobai.nn import init

# First four numbers of a (4, 3) tensor filled after manual_seed(0), as printed by PyTorch 2.13.
SEEDED = [
    ("uniform_", (-1.0, 2.0), [0.48877, 1.30467, -0.73457, -0.60391]),
    ("normal_", (1.0, 0.5), [1.7705, 0.85329, -0.08939, 1.28422]),
    ("xavier_uniform_", (), [-0.00693, 0.49665, -0.76199, -0.68135]),
    ("xavier_normal_", (2.0,), [1.64739, -0.31369, -2.32922, 0.60768]),
    ("kaiming_uniform_", (), [-0.01059, 0.75865, -1.16396, -1.04077]),
    ("kaiming_normal_", (0.2, "fan_out"), [1.06849, -0.20346, -1.51072, 0.39414]),
    ("trunc_normal_", (0.0, 1.0, -0.5, 1.0), [0.19187, -0.29343, 0.27337, 0.56843]),
    ("trunc_normal_", (0.0, 1.0, 1.0, 3.0), [1.99251, 1.52592, 1.17695, 1.26406]),
    ("trunc_normal_", (0.0, 1.0, -0.2, 0.1), [-0.05112, 0.03047, -0.17346, -0.16039]),
    ("orthogonal_", (), [0.88628, -0.02917, 0.25866, 0.32692]),
    ("sparse_", (0.5,), [0.0, 0.0, 0.0, 0.00568]),
]


@pytest.mark.parametrize("name, args, expected", SEEDED, ids=[f"{name}{args}" for name, args, _ in SEEDED])
def test_seeded(name, args, expected):
    kobai.manual_seed(0)
    tensor = getattr(init, name)(kobai.empty(4, 3), *args)
    assert tensor.reshape(-1)[:4].tolist() == pytest.approx(expected, abs=1e-5)


def test_layers_start_with_pytorchs_numbers():
    kobai.manual_seed(0)
    layer = nn.Linear(2, 1)
    assert repr(layer.weight) == (
        "Parameter containing:\ntensor([[-0.0053,  0.3793]], requires_grad=True)")
    assert repr(layer.bias) == "Parameter containing:\ntensor([-0.5820], requires_grad=True)"


def test_constants():
    assert init.constant_(kobai.empty(2), 3.0).tolist() == [3.0, 3.0]
    assert init.ones_(kobai.empty(1)).item() == 1 and init.zeros_(kobai.empty(1)).item() == 0
    assert init.eye_(kobai.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_dirac_passes_channels_through():
    conv = nn.Conv1d(4, 4, 3, padding=1, groups=2, bias=False)
    init.dirac_(conv.weight, groups=2)
    assert conv.weight.sum().item() == 4
    assert conv.weight.detach()[:, :, 1].tolist() == [[1, 0], [0, 1], [1, 0], [0, 1]]


def test_orthogonal_rows_or_columns():
    for shape in [(3, 5), (5, 3), (4, 2, 2)]:
        w = init.orthogonal_(kobai.empty(shape), gain=2.0).reshape(shape[0], -1)
        small = w @ w.T if shape[0] <= w.shape[1] else w.T @ w
        assert kobai.allclose(small, 4 * kobai.eye(small.shape[0]), atol=1e-5)


def test_sparse_columns():
    w = init.sparse_(kobai.empty(10, 4), sparsity=0.35)
    assert (w == 0).sum(0).tolist() == [4, 4, 4, 4]


def test_variance_of_large_tensors():
    kobai.manual_seed(0)
    w = init.kaiming_normal_(kobai.empty(400, 300), nonlinearity="relu")
    assert w.std().item() == pytest.approx(math.sqrt(2 / 300), rel=0.01)
    w = init.xavier_uniform_(kobai.empty(400, 300), gain=3.0)
    assert w.std().item() == pytest.approx(3 * math.sqrt(2 / 700), rel=0.01)
    assert w.abs().max().item() <= 3 * math.sqrt(6 / 700)
    w = init.trunc_normal_(kobai.empty(100000), 0.5, 2.0, -1.0, 1.0)
    assert -1 <= w.min().item() and w.max().item() <= 1


def test_nothing_is_recorded():
    w = nn.Parameter(kobai.empty(3, 3))
    for fill in (init.normal_, init.orthogonal_, init.eye_, init.ones_, init.trunc_normal_):
        assert fill(w) is w and w.grad_fn is None and w.is_leaf


@pytest.mark.parametrize("args, gain", [
    (("linear",), 1), (("conv2d",), 1), (("sigmoid",), 1), (("tanh",), 5 / 3), (("relu",), math.sqrt(2)),
    (("leaky_relu",), math.sqrt(2 / (1 + 0.01**2))), (("leaky_relu", 0.5), math.sqrt(2 / 1.25)),
    (("selu",), 0.75),
])
def test_gains(args, gain):
    assert init.calculate_gain(*args) == pytest.approx(gain)


@pytest.mark.parametrize("fn, text", [
    (lambda: init.calculate_gain("swish"), "Unsupported nonlinearity swish"),
    (lambda: init.calculate_gain("leaky_relu", True), "negative_slope True not a valid number"),
    (lambda: init.xavier_uniform_(kobai.empty(3)),
     "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"),
    (lambda: init.kaiming_uniform_(kobai.empty(3, 3), mode="fan"),
     "Mode fan not supported, please use one of"),
    (lambda: init.eye_(kobai.empty(3)), "Only tensors with 2 dimensions are supported"),
    (lambda: init.dirac_(kobai.empty(3, 3)), "Only tensors with 3, 4, or 5 dimensions are supported"),
    (lambda: init.dirac_(kobai.empty(3, 3, 3), groups=2), "dim 0 must be divisible by groups"),
    (lambda: init.orthogonal_(kobai.empty(3)), "Only tensors with 2 or more dimensions are supported"),
    (lambda: init.sparse_(kobai.empty(3), 0.1), "Only tensors with 2 dimensions are supported"),
])
def test_errors(fn, text):
    with pytest.raises(ValueError) as caught:
        fn()
    assert str(caught.value).startswith(text)


def test_a_generator_is_used():
    one, two = (kobai.Generator().manual_seed(7) for _ in range(2))
    a = init.kaiming_uniform_(kobai.empty(3, 3), generator=one)
    b = init.kaiming_uniform_(kobai.empty(3, 3), generator=two)
    assert a.tolist() == b.tolist()


def test_old_names_warn():
    with pytest.warns(FutureWarning, match="`nn.init.normal` is now deprecated"):
        init.normal(kobai.empty(2))


def test_empty_tensors_are_left_alone():
    with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
        nn.Linear(0, 2)
