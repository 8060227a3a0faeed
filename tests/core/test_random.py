"""Random numbers: PyTorch 2.13's for the same seed (written in), distributions, and the generator.

`tests/against_torch/test_random.py` compares many more with PyTorch itself.
"""

import copy
import pickle

import numpy as np
import pytest

from kobai import draws as D, exact, random as R, rejection

f32, f64 = np.float32, np.float64


@pytest.fixture(autouse=True)
def _seed():
    R.manual_seed(0)


# (sampler's result, what PyTorch gives after torch.manual_seed(0))
FROM_PYTORCH = {
    "rand": (lambda: R.uniform((3,), f32), [0.49625658988952637, 0.7682217955589294, 0.08847743272781372]),
    "rand_f64": (
        lambda: R.uniform((3,), f64),
        [0.9700530018065531, 0.707819864399788, 0.45938294312745087],
    ),
    "rand_f16": (lambda: R.uniform((3,), np.float16), [0.496337890625, 0.76806640625, 0.0885009765625]),
    "uniform_f64": (lambda: R.uniform((2,), f64, -1, 1), [0.9401060036131061, 0.4156397287995759]),
    "uniform": (
        lambda: R.uniform((2, 3), f32, -0.5, 0.5),
        [
            [-0.003743410110473633, 0.26822179555892944, -0.4115225672721863],
            [-0.3679695129394531, -0.19257718324661255, 0.13407868146896362],
        ],
    ),
    "rand_c64": (
        lambda: R.uniform((2,), np.complex64),
        [0.49625658988952637 + 0.7682217955589294j, 0.08847743272781372 + 0.13203048706054688j],
    ),
    "randn": (lambda: R.normal((3,), f32), [1.5409960746765137, -0.293428897857666, -2.1787893772125244]),
    "randn_f64": (
        lambda: R.normal((5,), f64),
        [1.5409961082440433, -0.2934289057609464, -2.1787893820745574,
         0.5684312772806678, -1.084522342424021],
    ),
    "normal": (lambda: R.normal((3,), f32, 10, 3), [14.6229887008667, 9.119712829589844, 3.4636318683624268]),
    "randn_20": (
        lambda: R.normal((20,), f32),
        [
            -1.1258398294448853, -1.152360200881958, -0.2505785822868347, -0.4338788092136383,
            0.5988394618034363, -1.5550950765609741, -0.3413603901863098, 1.85300612449646,
            0.46809640526771545, -0.1577124446630478, 1.4436601400375366, 0.26604941487312317,
            1.3893661499023438, 1.586334228515625, 0.946298360824585, -0.843676745891571,
            0.9318265914916992, 1.2590092420578003, 2.0049805641174316, 0.05373690277338028,
        ],
    ),
    "randn_20_f64": (
        lambda: R.normal((20,), f64)[-4:],
        [0.6748575435940039, 1.0468653769814655, 0.15429517864658948, -0.7498915228391941],
    ),
    "randn_20_f16": (
        lambda: R.normal((20,), np.float16)[:8],
        [-1.1259765625, -1.15234375, -0.25048828125, -0.433837890625,
         -1.3525390625, -1.6962890625, 0.56689453125, 0.79345703125],
    ),
    "randint": (lambda: R.randint((4,), np.int64, 0, 100), [44, 39, 33, 60]),
    "randint_wide": (
        lambda: R.randint((3,), np.int64, 0, 2**40),
        [741280623151, 506137267392, 291447657211],
    ),
    "random_i64": (
        lambda: R.random_full_range((3,), np.int64),
        [900450186894289455, 3969543146641149120, 1895649597198586619],
    ),
    "random_u8": (lambda: R.random_full_range((3,), np.uint8), [172, 47, 117]),
    "random_f32": (lambda: R.random_full_range((3,), f32), [8325664.0, 12888472.0, 1484222.0]),
    "randperm": (lambda: R.randperm(6), [2, 5, 3, 0, 1, 4]),
    "bernoulli": (lambda: R.bernoulli((4,), np.bool_, 0.5), [False, False, True, False]),
    "bernoulli_tensor": (lambda: R.bernoulli((4,), f32, f32([0.1, 0.5, 0.9, 0.5])), [0.0, 0.0, 1.0, 1.0]),
    "exponential": (lambda: R.exponential((2,), f32), [3.508326292037964, 1.2303847074508667]),
    "geometric": (lambda: R.geometric((4,), np.int64, 0.5), [1, 1, 2, 1]),
    "cauchy": (lambda: R.cauchy((2,), f32), [10.597729682922363, 0.7647672891616821]),
    "log_normal": (lambda: R.log_normal((2,), f32, 0, 1), [4.669239044189453, 0.7457022070884705]),
    "multinomial": (lambda: R.multinomial(f32([0.1, 0.6, 0.3]), 6, True), [2, 2, 1, 2, 1, 2]),
    "multinomial_without": (lambda: R.multinomial(f32([0.1, 0.6, 0.3]), 3), [2, 1, 0]),
    "poisson": (lambda: D.poisson(f32([1, 5, 20])), [2.0, 6.0, 19.0]),
    "binomial": (lambda: D.binomial(f32([10, 100]), f32([0.5, 0.3])), [7.0, 31.0]),
    "gamma": (lambda: D.standard_gamma(f32([0.5, 3])), [0.0007893581641837955, 1.2728434801101685]),
    "dirichlet": (
        lambda: D.dirichlet(f32([0.5, 3, 1])),
        [0.0003794970689341426, 0.6119406223297119, 0.38767990469932556],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FROM_PYTORCH)
def test_pytorchs_numbers(name):
    draw, expected = FROM_PYTORCH[name]
    assert draw().tolist() == expected


# ---------------------------------------------------------------------------- distributions

N = 200_000


def mean_is(x, mean, variance):
    """The sample mean lies within 5 standard errors."""
    x = np.asarray(x, f64)
    assert abs(x.mean() - mean) < 5 * np.sqrt(variance / x.size)


# Means and variances from the textbook.
MOMENTS = {
    "uniform": (lambda: R.uniform((N,), f32, 2, 5), 3.5, 9 / 12),
    "normal": (lambda: R.normal((N,), f32, 2, 3), 2, 9),
    "normal_serial": (lambda: R.normal((N,), f64, 2, 3, serial=True), 2, 9),
    "normal_variance": (lambda: R.normal((N,), f64) ** 2, 1, 2),
    "complex_normal": (lambda: abs(R.normal((N,), np.complex64)) ** 2, 1, 1),
    "exponential": (lambda: R.exponential((N,), f32, 4.0), 0.25, 1 / 16),
    "geometric": (lambda: R.geometric((N,), np.int32, 0.3), 1 / 0.3, 0.7 / 0.09),
    "cauchy": (lambda: R.cauchy((N,), f64, 1, 2) < 3, 0.75, 3 / 16),
    "log_normal": (lambda: R.log_normal((N,), f64, 0, 0.5), np.exp(0.125), np.exp(0.25) * np.expm1(0.25)),
    "bernoulli": (lambda: R.bernoulli((N,), f32, 0.3), 0.3, 0.21),
    "randint": (lambda: R.randint((N,), np.int64, -3, 9), 2.5, 143 / 12),
    "poisson_small": (lambda: D.poisson(np.full(20_000, 3.0)), 3, 3),
    "poisson_large": (lambda: D.poisson(np.full(20_000, 30.0)), 30, 30),
    "binomial_small": (lambda: D.binomial(np.full(20_000, 20.0), np.full(20_000, 0.2)), 4, 3.2),
    "binomial_large": (lambda: D.binomial(np.full(20_000, 200.0), np.full(20_000, 0.7)), 140, 42),
    "gamma_small": (lambda: D.standard_gamma(np.full(20_000, 0.4)), 0.4, 0.4),
    "gamma_large": (lambda: D.standard_gamma(np.full(20_000, 5.0)), 5, 5),
    "dirichlet": (lambda: D.dirichlet(np.tile([1.0, 2.0, 3.0], (20_000, 1)))[:, 2], 0.5, 0.25 / 7),
    "multinomial": (lambda: R.multinomial(f64([1, 1, 2]), N, True) == 2, 0.5, 0.25),
    "multinomial_without": (lambda: R.multinomial(np.tile(f64([1, 1, 2]), (20_000, 1)), 1) == 2, 0.5, 0.25),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_moments(name):
    draw, mean, variance = MOMENTS[name]
    mean_is(draw(), mean, variance)


def test_randperm_is_a_permutation_each_equally_likely():
    assert sorted(R.randperm(5000).tolist()) == list(range(5000))
    orders = [tuple(R.randperm(3)) for _ in range(6000)]
    counts = [orders.count(order) for order in sorted(set(orders))]
    assert len(counts) == 6
    assert max(abs(c - 1000) for c in counts) < 5 * np.sqrt(1000 * 5 / 6)


def test_randperm_with_and_without_scipy_agree(monkeypatch):
    ahead = R.randint((400_000,), np.int64, 0, 1000)
    partners = (np.arange(400_000) + ahead).clip(max=399_999)
    fast = R._swapped(400_000, partners)
    monkeypatch.setitem(R.sys.modules, "scipy.linalg.lapack", None)
    np.testing.assert_array_equal(R._swapped(400_000, partners), fast)


def test_without_replacement_means_without():
    picks = R.multinomial(np.ones((50, 10)), 10)
    assert (np.sort(picks, axis=1) == np.arange(10)).all()


def test_uniform_never_reaches_the_upper_bound():
    assert (R.uniform((N,), np.float16, 0, 1) < 1).all()
    assert (R.uniform((N,), f32, 1, 1 + 2**-22) < 1 + 2**-22).all()


# ---------------------------------------------------------------------------- exact arithmetic


def test_fma_rounds_once():
    from fractions import Fraction

    x = R.uniform((300,), f64, -2, 2)
    for scale, shift in [(0.1, 0.3), (3.7, -1e-9), (1e5, 0.0), (1.0, 1e-17)]:
        once = [float(Fraction(v) * Fraction(scale) + Fraction(shift)) for v in x.tolist()]
        np.testing.assert_array_equal(exact.fma(x, scale, shift), once)


def test_box_muller_is_within_a_few_units_of_the_formula():
    u1, u2 = 1 - R.uniform((5000,), f32), R.uniform((5000,), f32)
    n1, n2 = exact.normal_pairs(u1, u2)
    radius, angle = np.sqrt(-2 * np.log(u1.astype(f64))), 2 * np.pi * u2.astype(f64)
    np.testing.assert_allclose(n1, radius * np.cos(angle), atol=4e-6)
    np.testing.assert_allclose(n2, radius * np.sin(angle), atol=4e-6)


def test_compiled_box_muller_has_the_same_bits(monkeypatch):
    pytest.importorskip("llvmlite")
    monkeypatch.setattr(exact, "_made", 0)
    monkeypatch.setattr(exact, "_compiled_from", float("inf"))
    u1, u2 = 1 - R.uniform((70_000,), f32), R.uniform((70_000,), f32)
    on_numpy = exact.normal_pairs(u1, u2)
    monkeypatch.setattr(exact, "_compiled_from", 0)
    for one, other in zip(on_numpy, exact.normal_pairs(u1, u2)):
        np.testing.assert_array_equal(one.view(np.int32), other.view(np.int32))


@pytest.mark.parametrize("u", [0.0, 0.5, 1 - 2**-53])
def test_rejection_samplers_take_the_extreme_uniforms(u):
    """No division by zero or log of zero: the candidate is refused or taken, and the next decides."""
    uniforms = iter([u, u, 0.4, 0.3, 0.4, 0.3, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]).__next__
    assert rejection.poisson(20.0, uniforms) >= 0
    uniforms = iter([u, u, 0.4, 0.3, 0.4, 0.3]).__next__
    assert 0 <= rejection.binomial(100.0, 0.3, f64, uniforms) <= 100


# ---------------------------------------------------------------------------- generator


def test_saving_and_restoring_keeps_the_second_normal_of_a_pair():
    R.normal((3,), f32)
    state = R.get_rng_state()
    first = R.normal((1,), f32).tolist() + R.uniform((700,), f32).tolist()
    R.set_rng_state(state)
    assert R.normal((1,), f32).tolist() + R.uniform((700,), f32).tolist() == first
    assert first[0] == pytest.approx(0.5684312772806678)  # the fourth number of randn(5) above


def test_state_is_pytorchs_5056_bytes():
    state = R.get_rng_state()
    assert state.numpy().dtype == np.uint8
    assert state.shape == (5056,)
    R.uniform((7,), f32)
    after = R.get_rng_state().numpy()
    assert after[:24].view("<i4").tolist() == [0, 0, 618, 1, 7, 0]  # seed, left, seeded, next


def test_a_sampler_with_a_varying_number_of_draws_leaves_the_rest():
    D.poisson(f32([1, 5, 20]))
    used = R.get_rng_state().numpy()[:24].view("<i4")[4]
    assert used == 2 * (3 + 7 + 2)  # three uniforms for 2, seven for 6, one pair for 19; two words each


def test_generators_are_independent_of_each_other():
    alone = R.uniform((4,), f32).tolist()
    R.manual_seed(0)
    other = R.Generator().manual_seed(1)
    mixed = []
    for _ in range(4):
        R.normal((2,), f32, gen=other)
        mixed.append(R.uniform((), f32).item())
    assert mixed == alone


def test_copies_go_on_alike():
    g = R.Generator().manual_seed(3)
    R.normal((5,), f32, gen=g)
    copies = [g.clone_state(), copy.deepcopy(g), pickle.loads(pickle.dumps(g))]
    expected = R.normal((5,), f32, gen=g).tolist()
    assert [R.normal((5,), f32, gen=c).tolist() for c in copies] == [expected] * 3
    assert [c.initial_seed() for c in copies] == [3, 3, 3]


def test_seeds():
    assert R.Generator().initial_seed() == 67280421310721  # PyTorch's
    assert R.manual_seed(-1).initial_seed() == 2**64 - 1
    seeds = {R.seed() for _ in range(5)}
    assert len(seeds) == 5
    assert R.initial_seed() in seeds


def test_fork_rng():
    with R.fork_rng():
        inside = R.uniform((3,), f32).tolist()
    assert R.uniform((3,), f32).tolist() == inside
    with R.fork_rng(enabled=False):
        R.uniform((3,), f32)
    assert R.uniform((3,), f32).tolist() != inside


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: R.normal((3,), f32, 0, -1), RuntimeError, "normal expects std >= 0.0, but found std -1"),
        (lambda: R.normal((3,), np.int64), NotImplementedError, "normal_kernel_cpu"),
        (lambda: R.uniform((3,), f32, 2, 1), RuntimeError, "found from=2 > to=1"),
        (lambda: R.randint((3,), np.uint8, 0, 300), RuntimeError, "to - 1 is out of bounds for"),
        (lambda: R.randint((3,), np.complex64, 0, 3), RuntimeError, "check_random_bounds handles only"),
        (lambda: R.bernoulli((3,), f32, f32([0, 2, 0])), RuntimeError, "Expected p_in >= 0 && p_in <= 1"),
        (lambda: R.multinomial(f32([0, 0]), 1), RuntimeError, "sum of probabilities <= 0"),
        (lambda: R.multinomial(f32([np.nan, 1]), 1), RuntimeError, "either `inf`, `nan` or element < 0"),
        (lambda: R.manual_seed(2**64), ValueError, "Overflow when unpacking long"),
        (lambda: R.set_rng_state(np.zeros(7, np.uint8)), RuntimeError, "CPUGeneratorImplState of size 5056"),
        (lambda: R.set_rng_state(np.zeros(5056)), TypeError, "RNG state must be a torch.ByteTensor"),
    ],
)
def test_errors(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value).splitlines()[0]
