"""Every sampler against PyTorch's, bit for bit, and the generator's state byte for byte."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from kobai import draws as D, random as R  # noqa: E402

ml_dtypes = pytest.importorskip("ml_dtypes")

DTYPES = {
    "float32": (np.float32, torch.float32),
    "float64": (np.float64, torch.float64),
    "float16": (np.float16, torch.float16),
    "bfloat16": (ml_dtypes.bfloat16, torch.bfloat16),
}
ALL = list(DTYPES)
WIDE = ["float32", "float64"]
SIZES = [1, 2, 15, 16, 17, 31, 32, 33, 255, 1000, 5003]


@pytest.fixture(params=[0, 1, 123456789, 2**32 + 5, -3])
def seeded(request):
    """Both default generators on one seed."""
    torch.manual_seed(request.param)
    R.manual_seed(request.param)
    return request.param


def as_numpy(t):
    if t.dtype == torch.bfloat16:
        return t.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return t.numpy()


def check(ours, theirs):
    """Same dtype, shape and bits, and the same state afterwards."""
    theirs = as_numpy(theirs)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    bits = f"u{ours.dtype.itemsize}" if ours.dtype.kind != "c" else ours.dtype
    np.testing.assert_array_equal(
        np.ascontiguousarray(ours).view(bits), np.ascontiguousarray(theirs).view(bits)
    )
    check_state()


def check_state():
    np.testing.assert_array_equal(R.get_rng_state(), torch.get_rng_state().numpy())


# ---------------------------------------------------------------------------- generator


def test_fresh_state(seeded):
    assert R.initial_seed() == torch.initial_seed()
    check_state()


def test_new_generator_has_pytorchs_seed():
    ours, theirs = R.Generator(), torch.Generator()
    assert ours.initial_seed() == theirs.initial_seed()
    np.testing.assert_array_equal(ours.get_state(), theirs.get_state().numpy())


def test_states_are_interchangeable(seeded):
    torch.rand(1000)
    torch.randn(3)
    R.set_rng_state(torch.get_rng_state().numpy())
    check(R.normal((3,), np.float32), torch.randn(3))
    check(R.uniform((700,), np.float32), torch.rand(700))
    R.normal((1,), np.float32)
    torch.set_rng_state(torch.from_numpy(R.get_rng_state().numpy()))
    check(R.normal((5,), np.float64), torch.randn(5, dtype=torch.float64))


def test_state_at_every_position_of_the_block(seeded):
    for _ in range(640):
        check(R.uniform((), np.float32), torch.rand(()))


def test_own_generators(seeded):
    ours, theirs = R.Generator().manual_seed(5), torch.Generator().manual_seed(5)
    check(R.normal((40,), np.float32, gen=ours), torch.randn(40, generator=theirs))
    clone, theirs_clone = ours.clone_state(), theirs.clone_state()
    expected = torch.rand(7, generator=theirs)
    check(R.uniform((7,), np.float32, gen=ours), expected)
    check(R.uniform((7,), np.float32, gen=clone), torch.rand(7, generator=theirs_clone))
    check(R.uniform((2,), np.float32, gen=copy.deepcopy(ours)), torch.rand(2, generator=theirs))


# ---------------------------------------------------------------------------- continuous


@pytest.mark.parametrize("bounds", [(0, 1), (-0.37, 1.1), (2.5, 2.5), (-1e4, 3e4), (0, 1e-7)])
@pytest.mark.parametrize("name", ALL)
def test_uniform(seeded, name, bounds):
    ours, theirs = DTYPES[name]
    for n in SIZES:
        check(R.uniform((n,), ours, *bounds), torch.empty(n, dtype=theirs).uniform_(*bounds))


@pytest.mark.parametrize("moments", [(0, 1), (0.3, 1.7), (-100.0, 1e-3), (1.5, 0)])
@pytest.mark.parametrize("name", ALL)
def test_normal(seeded, name, moments):
    ours, theirs = DTYPES[name]
    for n in SIZES:
        check(R.normal((n,), ours, *moments), torch.empty(n, dtype=theirs).normal_(*moments))


@pytest.mark.parametrize("name", ALL)
def test_normal_of_a_tensor_that_is_not_contiguous(seeded, name):
    ours, theirs = DTYPES[name]
    tensor = torch.empty(40, dtype=theirs)[::2].normal_(0.5, 2)
    check(R.normal((20,), ours, 0.5, 2, serial=True), tensor.contiguous())


def test_many_numbers():
    """Enough for all branches of the polynomials and for rare roundings."""
    torch.manual_seed(9)
    R.manual_seed(9)
    check(R.normal((1_000_000,), np.float32), torch.randn(1_000_000))
    doubles = torch.empty(100_000, dtype=torch.float64)
    check(R.uniform((100_000,), np.float64, 0.1, 7), doubles.uniform_(0.1, 7))
    check(R.normal((100_000,), np.float64, 3, 7), doubles.normal_(3, 7))


def test_shapes_and_empty(seeded):
    check(R.uniform((3, 0, 2), np.float32), torch.rand(3, 0, 2))
    check(R.normal((0,), np.float32), torch.randn(0))
    check(R.normal((), np.float32), torch.randn(()))
    check(R.normal((0,), np.float32), torch.randn(0))  # the spare normal survives it
    check(R.normal((2, 3, 5), np.float32), torch.randn(2, 3, 5))


@pytest.mark.parametrize("name", ["complex64", "complex128"])
def test_complex(seeded, name):
    ours, theirs = np.dtype(name), getattr(torch, name)
    for n in (3, 8, 50):
        check(R.uniform((n,), ours), torch.rand(n, dtype=theirs))
        check(R.normal((n,), ours), torch.randn(n, dtype=theirs))


@pytest.mark.parametrize("name", ALL)
def test_inverse_distribution_functions(seeded, name):
    ours, theirs = DTYPES[name]
    for n in (1, 7, 2000):
        empty = torch.empty(n, dtype=theirs)
        check(R.exponential((n,), ours), empty.clone().exponential_())
        check(R.exponential((n,), ours, 1.7), empty.clone().exponential_(1.7))
        check(R.log_normal((n,), ours, 0.3, 0.7), empty.clone().log_normal_(0.3, 0.7))
        check(R.cauchy((n,), ours, 0.3, 0.7), empty.clone().cauchy_(0.3, 0.7))
        check(R.geometric((n,), ours, 0.3), empty.clone().geometric_(0.3))


# ---------------------------------------------------------------------------- discrete


@pytest.mark.parametrize("name", ["bool", "uint8", "int8", "int16", "int32", "int64", *ALL])
def test_random_full_range(seeded, name):
    ours, theirs = DTYPES.get(name) or (np.dtype(name), getattr(torch, name))
    check(R.random_full_range((1500,), ours), torch.empty(1500, dtype=theirs).random_())


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("int64", 0, 10), ("int64", -5, 2**28 - 6), ("int64", -5, 2**28 - 5), ("int64", -(2**62), 2**62),
        ("int64", -(2**63), 2**63 - 1), ("int64", 3, None), ("int64", -(2**63), None),
        ("int32", -(2**31), 2**31 - 1), ("int32", 7, None), ("uint8", 0, 256), ("bool", 0, 2),
        ("int8", -128, 128), ("uint16", 0, 40000), ("uint64", 0, 2**60), ("float32", 0, 5),
        ("float64", -7, 12), ("float16", 0, 2048), ("bfloat16", 0, 200), ("float32", 5, None),
        ("float32", 0, 2**24 + 11), ("float16", -4001, 4003),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*out of bounds")
def test_randint(seeded, name, low, high):
    ours, theirs = DTYPES.get(name) or (np.dtype(name), getattr(torch, name))
    check(R.randint((1500,), ours, low, high), torch.empty(1500, dtype=theirs).random_(low, high))


@pytest.mark.parametrize("n", [0, 1, 2, 6, 1000, 70_000, 300_000])
def test_randperm(seeded, n):
    check(R.randperm(n), torch.randperm(n))


@pytest.mark.parametrize("name", ["uint8", "int32", *ALL])
def test_randperm_dtypes(seeded, name):
    ours, theirs = DTYPES.get(name) or (np.dtype(name), getattr(torch, name))
    check(R.randperm(100, ours), torch.randperm(100, dtype=theirs))


@pytest.mark.parametrize("name", ["bool", "int64", *ALL])
def test_bernoulli(seeded, name):
    ours, theirs = DTYPES.get(name) or (np.dtype(name), getattr(torch, name))
    for p in (0, 0.3, 1):
        check(R.bernoulli((500,), ours, p), torch.empty(500, dtype=theirs).bernoulli_(p))
    for p in DTYPES:
        probabilities = torch.rand(20, 25, generator=torch.Generator()).to(DTYPES[p][1])
        theirs_drawn = torch.empty(20, 25, dtype=theirs).bernoulli_(probabilities)
        check(R.bernoulli((20, 25), ours, as_numpy(probabilities)), theirs_drawn)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(6,), (50,), (3, 9)])
def test_multinomial(seeded, name, shape):
    weights = torch.rand(shape, generator=torch.Generator()).to(DTYPES[name][1])
    for n_sample, replacement in [(1, False), (1, True), (4, False), (200, True), (6, False)]:
        ours = R.multinomial(as_numpy(weights), n_sample, replacement)
        theirs = torch.multinomial(weights, n_sample, replacement)
        if name in WIDE or replacement:
            check(ours, theirs)
        else:  # 16-bit races have ties, which topk breaks as it likes
            assert ours.shape == theirs.shape
            check_state()


# ---------------------------------------------------------------------------- rejection


@pytest.mark.parametrize("name", ALL)
def test_poisson(seeded, name):
    for rates in ([0, 0.1, 1, 9.9], [10, 11, 30], [0.5, 50, 1000], [3] * 2000, [77] * 2000):
        theirs = torch.tensor(rates, dtype=DTYPES[name][1])
        check(D.poisson(as_numpy(theirs)), torch.poisson(theirs))


@pytest.mark.parametrize("name", WIDE)
def test_binomial(seeded, name):
    n = torch.tensor([0, 1, 5, 17, 40, 100, 1000, 50000], dtype=DTYPES[name][1])[:, None].repeat(1, 80)
    p = torch.tensor([0, 0.01, 0.3, 0.5, 0.6, 0.99, 1, 0.2], dtype=DTYPES[name][1]).repeat(10).expand(8, 80)
    check(D.binomial(n.numpy(), p.numpy()), torch.binomial(n, p))


@pytest.mark.parametrize("name", WIDE)
def test_standard_gamma(seeded, name):
    alpha = torch.tensor([0, 0.01, 0.3, 0.99, 1, 1.5, 20, 1e4] * 100, dtype=DTYPES[name][1])
    check(D.standard_gamma(alpha.numpy()), torch._standard_gamma(alpha))
    check(R.normal((3,), np.float32), torch.randn(3))  # a spare normal is carried over


@pytest.mark.parametrize("name", WIDE)
def test_dirichlet(seeded, name):
    alpha = torch.tensor([[0.5, 2, 3, 0.01], [7, 7, 7, 7]], dtype=DTYPES[name][1])
    ours, theirs = D.dirichlet(alpha.numpy()), torch._sample_dirichlet(alpha).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=4 * np.finfo(ours.dtype).eps)
    check_state()


# ---------------------------------------------------------------------------- bad input

ERRORS = [
    (lambda: R.normal((3,), np.float32, 0, -1), lambda: torch.empty(3).normal_(0, -1)),
    (lambda: R.normal((3,), np.int64), lambda: torch.empty(3, dtype=torch.int64).normal_()),
    (lambda: R.uniform((3,), np.float32, 2, 1), lambda: torch.empty(3).uniform_(2, 1)),
    (lambda: R.uniform((3,), np.float32, -3e38, 3e38), lambda: torch.empty(3).uniform_(-3e38, 3e38)),
    (lambda: R.uniform((3,), np.int64), lambda: torch.rand(3, dtype=torch.int64)),
    (lambda: R.randint((3,), np.int64, 3, 3), lambda: torch.randint(3, 3, (3,))),
    (lambda: R.bernoulli((3,), np.float32, 2), lambda: torch.empty(3).bernoulli_(2)),
    (lambda: R.exponential((3,), np.float32, 0), lambda: torch.empty(3).exponential_(0)),
    (lambda: R.exponential((3,), np.int64), lambda: torch.empty(3, dtype=torch.int64).exponential_()),
    (lambda: R.geometric((3,), np.float32, 1.0), lambda: torch.empty(3).geometric_(1.0)),
    (lambda: R.cauchy((3,), np.float32, 0, 0), lambda: torch.empty(3).cauchy_(0, 0)),
    (lambda: R.log_normal((3,), np.float32, 0, 0), lambda: torch.empty(3).log_normal_(0, 0)),
    (lambda: R.randperm(-1), lambda: torch.randperm(-1)),
    (lambda: R.randperm(3000, np.float16), lambda: torch.randperm(3000, dtype=torch.float16)),
    (lambda: R.multinomial(np.ones(3), 4), lambda: torch.multinomial(torch.ones(3), 4)),
    (lambda: R.multinomial(np.ones(3), 0), lambda: torch.multinomial(torch.ones(3), 0)),
    (lambda: R.multinomial(np.zeros(3), 1), lambda: torch.multinomial(torch.zeros(3), 1)),
    (lambda: R.multinomial(np.array([-1.0, 2]), 1), lambda: torch.multinomial(torch.tensor([-1.0, 2]), 1)),
    (lambda: R.multinomial(np.array([1, 2]), 1), lambda: torch.multinomial(torch.tensor([1, 2]), 1)),
    (lambda: D.poisson(np.array([-1.0])), lambda: torch.poisson(torch.tensor([-1.0]))),
    (lambda: D.binomial(*np.ones((2, 3), "e")), lambda: torch.binomial(*torch.ones(2, 3).half())),
    (lambda: D.standard_gamma(np.ones(3, "e")), lambda: torch._standard_gamma(torch.ones(3).half())),
    (lambda: R.manual_seed(2**64), lambda: torch.manual_seed(2**64)),
    (lambda: R.Generator().manual_seed(1.5), lambda: torch.Generator().manual_seed(1.5)),
    (lambda: R.set_rng_state(np.zeros(10, np.uint8)), lambda: torch.set_rng_state(torch.zeros(10).byte())),
    (
        lambda: R.set_rng_state(np.zeros(5056, np.uint8)),
        lambda: torch.set_rng_state(torch.zeros(5056, dtype=torch.uint8)),
    ),
    (lambda: R.set_rng_state(np.zeros(5056)), lambda: torch.set_rng_state(torch.zeros(5056))),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_errors_have_pytorchs_type_and_first_line(case):
    def error_of(call):
        with pytest.raises(Exception) as caught:
            call()
        return type(caught.value), str(caught.value).splitlines()[0]

    ours, theirs = ERRORS[case]
    assert error_of(ours) == error_of(theirs)
