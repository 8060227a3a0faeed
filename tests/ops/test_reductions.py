"""Sums, products, scans, order, statistics: against mathematics and NumPy in double precision."""
import warnings

import numpy as np
import pytest

import kobai
from kobai.ops.order import order_of
from kobai.ops.summation import add_up
from kobai.testing import check


def tensor(x):
    return kobai.from_numpy(np.ascontiguousarray(x))


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# ---- sums ------------------------------------------------------------------------------------
LONG = [((50000, 6), (0,)), ((3, 20000, 4), (1,)), ((20000, 5, 3), (0, 2)), ((2, 3, 9000), (0, 2)), ((40000,), None),
        ((5, 4000, 3), (0, 1, 2)), ((300, 7, 40), (0,))]


@pytest.mark.parametrize("shape, dim", LONG)
@pytest.mark.parametrize("memory", ["rows", "columns", "strided"])
@pytest.mark.parametrize("keepdim", [False, True])
def test_long_sums_keep_their_digits(shape, dim, memory, keepdim):
    """One after the other, 50,000 terms lose three digits of a float32's seven."""
    x = np.random.default_rng(0).random(shape, np.float32)
    if memory == "columns":
        x = np.asfortranarray(x)
    if memory == "strided":
        x = np.repeat(x, 2, -1)[..., ::2]
    want = x.astype(np.float64).sum(dim, keepdims=keepdim)
    have = add_up(x, dim, keepdim)
    assert have.shape == want.shape and have.dtype == np.float32
    np.testing.assert_allclose(have, want, rtol=6e-7)


def test_gradients_of_broadcasting_keep_their_digits():
    x = tensor(np.random.default_rng(0).random((100000, 3), np.float32))
    b = kobai.zeros(3, requires_grad=True)
    (x * b).sum().backward()
    np.testing.assert_allclose(b.grad.numpy(), x.numpy().astype(np.float64).sum(0), rtol=6e-7)


def test_running_sums_keep_their_digits():
    x = np.full(100000, 0.1, np.float32)
    assert tensor(x).cumsum(0)[-1].item() == pytest.approx(x.astype(np.float64).sum(), rel=1e-7)


@pytest.mark.parametrize("dtype, value", [("uint8", 200), ("int8", 100), ("int32", 2 ** 31 - 1), ("bool", True)])
def test_integers_are_summed_in_64_bits(dtype, value):
    x = kobai.full((3,), value, dtype=getattr(kobai, dtype))
    assert x.sum().dtype is kobai.int64 and x.sum().item() == 3 * int(value)
    assert x.cumsum(0).tolist() == [int(value), 2 * int(value), 3 * int(value)]
    assert x.sum(0).item() == 3 * int(value)


def test_a_second_number_is_not_a_second_dimension():
    with pytest.raises(TypeError, match=r"argument 'keepdim' \(position 2\) must be bool, not int"):
        kobai.ones(2, 3).sum(0, 1)


# ---- products --------------------------------------------------------------------------------
@pytest.mark.parametrize("zeros", [(), (1,), (1, 3), (0,), (4,)])
@pytest.mark.parametrize("name", ["prod", "cumprod"])
def test_gradients_of_products_with_zeros(zeros, name):
    """By the sum over all results of the product of the other factors."""
    x = np.array([2.0, -1.5, 0.5, 3.0, 1.25])
    x[list(zeros)] = 0
    weights = np.array([1.0, 2.0, -1.0, 0.5, 3.0]) if name == "cumprod" else [0, 0, 0, 0, 1.0]
    want = [sum(w * np.prod(np.delete(x[:i + 1], j)) for i, w in enumerate(weights) if i >= j) for j in range(5)]
    t = tensor(x).requires_grad_()
    y = t.cumprod(0) if name == "cumprod" else t.prod()
    (y * tensor(weights) if name == "cumprod" else y).sum().backward()
    np.testing.assert_allclose(t.grad.numpy(), want, atol=1e-12)


def test_a_recurrence_is_its_loop():
    a, b = normal(7, 2), normal(7, 2, seed=1)
    want = b.copy()
    for i in range(1, 7):
        want[i] += a[i] * want[i - 1]
    from kobai.ops.scan import Recurrence
    np.testing.assert_allclose(Recurrence(0)(a, b), want)
    np.testing.assert_allclose(Recurrence(0, True)(a[::-1], b[::-1])[::-1], want)


# ---- softmax ---------------------------------------------------------------------------------
def test_softmax_does_not_overflow():
    x = kobai.tensor([1000.0, 1001.0, -1000.0])
    np.testing.assert_allclose(x.softmax(0).numpy(), [0.26894142, 0.73105858, 0], rtol=1e-6)
    np.testing.assert_allclose(x.log_softmax(0).numpy(), [-1.3132617, -0.3132617, -2001.3132617], rtol=1e-6)
    assert x.logsumexp(0).item() == pytest.approx(1001.3132617)
    np.testing.assert_allclose(x.logcumsumexp(0).numpy(), [1000, 1001.3132617, 1001.3132617], rtol=1e-6)


def test_logsumexp_of_nothing_and_of_infinities():
    inf = float("inf")
    assert kobai.zeros(0).logsumexp(0).item() == -inf
    assert kobai.tensor([-inf, -inf]).logsumexp(0).item() == -inf
    assert kobai.tensor([inf, 1.0]).logsumexp(0).item() == inf


# ---- order -----------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.float64, np.int64])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dim", [0, 1])
def test_sorting_long_rows_is_stable(dtype, descending, dim):
    """Rows of 512 four-byte elements and more are sorted as words of their bits and their index."""
    x = np.random.default_rng(0).integers(-40, 40, (3, 700)).astype(dtype)
    if dtype == np.float32:
        x[:, ::7], x[:, ::11], x[1, :9] = np.nan, -0.0, [np.inf, -np.inf, np.nan] * 3
    sign = -1 if descending else 1
    want = [sorted(range(700), key=lambda i: (sign * np.isnan(row[i]), sign * np.nan_to_num(row[i], nan=0.0)))
            for row in x]  # NaN counts as the largest
    have = order_of(x.T if dim == 0 else x, dim, descending)
    np.testing.assert_array_equal(have.T if dim == 0 else have, want)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("n, k", [(5000, 7), (30, 7), (30, 30), (30, 0)])
def test_topk_is_the_beginning_of_the_order(largest, n, k):
    x = normal(3, n)
    values, indices = tensor(x).topk(k, 1, largest)
    want = np.argsort(-x if largest else x, 1)[:, :k]
    np.testing.assert_array_equal(indices.numpy(), want)
    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, want, 1))


@pytest.mark.parametrize("n", [9, 2000])
def test_ranks(n):
    x = normal(4, n)
    s = np.sort(x, 1)
    for k in (1, 3, n):
        y = tensor(x).kthvalue(k, 1)
        np.testing.assert_array_equal(y.values.numpy(), s[:, k - 1])
        np.testing.assert_array_equal(np.take_along_axis(x, y.indices.numpy()[:, None], 1)[:, 0], s[:, k - 1])
    np.testing.assert_array_equal(tensor(x).median(1).values.numpy(), s[:, (n - 1) // 2])
    x[0, :4] = np.nan
    y = tensor(x).nanmedian(1).values.numpy()
    assert y[0] == np.sort(x[0, 4:])[(n - 5) // 2] and np.isnan(tensor(x).median(1).values.numpy()[0])


def test_results_have_named_fields():
    y = kobai.tensor([[1.0, 5.0], [7.0, 2.0]]).max(dim=1)
    assert repr(y) == "torch.return_types.max(\nvalues=tensor([5., 7.]),\nindices=tensor([1, 0]))"
    values, indices = y
    assert values is y.values and indices is y.indices and len(y) == 2


# ---- statistics ------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("dim", [None, 0, 1])
def test_quantiles_are_numpys(method, dim):
    x, q = normal(6, 11), np.array([0.0, 0.13, 0.5, 0.77, 1.0])
    have = tensor(x).quantile(tensor(q), dim, interpolation=method).numpy()
    np.testing.assert_allclose(have, np.quantile(x, q, axis=dim, method=method), rtol=1e-12)
    x[2, 3:6] = np.nan
    have = tensor(x).nanquantile(tensor(q), dim, interpolation=method).numpy()
    np.testing.assert_allclose(have, np.nanquantile(x, q, axis=dim, method=method), rtol=1e-12)


def test_the_gradient_of_a_quantile_by_its_place():
    x = kobai.tensor([1.0, 4.0, 9.0], dtype=kobai.float64)
    q = kobai.tensor(0.25, dtype=kobai.float64, requires_grad=True)
    y = x.quantile(q)
    y.backward()
    assert y.item() == 2.5 and q.grad.item() == 6.0  # 2 intervals, the first of length 3


def test_covariance_is_numpys():
    x = normal(3, 20)
    f, a = np.arange(20) % 3 + 1, np.linspace(0.5, 2, 20)
    np.testing.assert_allclose(tensor(x).cov().numpy(), np.cov(x))
    np.testing.assert_allclose(tensor(x).cov(fweights=tensor(f), aweights=tensor(a), correction=0).numpy(),
                               np.cov(x, fweights=f, aweights=a, ddof=0))
    np.testing.assert_allclose(tensor(x).corrcoef().numpy(), np.corrcoef(x))


def test_variance_of_one_number_warns():
    with pytest.warns(UserWarning, match=r"var\(\): degrees of freedom is <= 0"):
        assert np.isnan(kobai.tensor([1.0]).var().item())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kobai.tensor([1.0]).var(correction=0).item() == 0


@pytest.mark.parametrize("p", [2, 1, 3, float("inf")])
def test_norms_have_no_slope_at_zero(p):
    x = kobai.zeros(3, requires_grad=True)
    x.norm(p).backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_histograms_are_numpys():
    x, edges = normal(500, 2), [np.linspace(-2, 2, 5), np.array([-3.0, -0.5, 0.1, 3.0])]
    for density in (False, True):
        have = kobai.histogram(tensor(x[:, 0]), tensor(edges[1]), density=density).hist.numpy()
        np.testing.assert_allclose(have, np.histogram(x[:, 0], edges[1], density=density)[0])
        have = kobai.histogramdd(tensor(x), [tensor(e) for e in edges], density=density).hist.numpy()
        np.testing.assert_allclose(have, np.histogramdd(x, edges, density=density)[0])


# ---- einsum ----------------------------------------------------------------------------------
SIZES = dict(zip("abcdefg", (2, 3, 4, 5, 1, 3, 2)))
EQUATIONS = ["ab,bc->ac", "ab,cb->ac", "ab->ba", "ab->", "aab->b", "ab,ab->ab", "ab,ab->a", "ab,ab->", "a,b->ab",
             "abc,acd->abd", "abc,abd->cd", "ab,bc,cd->ad", "ab,bc,cd,da->", "abc,ad,be->de", "a,a,a->a", "ab,cd->acbd",
             "abf,bf->a", "aa,ab->b", "ab,bc,ac->abc", "abcd,dcba->", "ag,ab->b", "ab,bc,cd,de,ef,fg->ag"]


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum_is_numpys(equation):
    arrays = [normal(*[SIZES[c] for c in term], seed=i) for i, term in enumerate(equation.split("->")[0].split(","))]
    have = kobai.einsum(equation, *map(tensor, arrays)).numpy()
    np.testing.assert_allclose(have, np.einsum(equation, *arrays), rtol=1e-10, atol=1e-12)


class Equation:
    """An equation as the checks of ops take it."""

    outputs = 1
    moves = elementwise = linear = False
    joint = True
    inputs = ("a", "b", "c")

    def __init__(self, text):
        self.text = text

    def __call__(self, *values):
        return kobai.ops.einsum.einsum(self.text, *values)


@pytest.mark.parametrize("equation", ["ab,bc->ac", "aab,ba->b", "abc,acd->abd", "ab,ab->a", "ab,bc,cd->ad",
                                      "...a,ab->...b"])
def test_einsum_has_all_derivatives(equation):
    shapes = [[SIZES[c] for c in term.replace("...", "")] for term in equation.split("->")[0].split(",")]
    arrays = [normal(*s, seed=i) for i, s in enumerate(shapes)]
    for one in (check.check_gradient, check.check_second, check.check_jvp, check.check_vmap):
        one(Equation(equation), arrays, np.random.default_rng(1))


# ---- under transforms ------------------------------------------------------------------------
@pytest.mark.parametrize("f", [
    lambda x: x.std(0), lambda x: x.max(0)[0], lambda x: x.sort(-1).values, lambda x: x.quantile(0.3),
    lambda x: x.cov(), lambda x: x.cumprod(1), lambda x: x.norm(3, 1), lambda x: kobai.cdist(x, x * 2),
    lambda x: x.log_softmax(1), lambda x: x.nanmean(0), lambda x: x.argmax(), lambda x: x.diff(),
    lambda x: kobai.trapezoid(x), lambda x: x.median(), lambda x: x.renorm(2, 0, 0.5), lambda x: kobai.kron(x, x),
    lambda x: kobai.tensordot(x, x), lambda x: x.logcumsumexp(1), lambda x: x.cummax(0).values,
    lambda x: x.topk(2).values, lambda x: x.mode().values])
def test_vmap_is_a_loop(f):
    x = tensor(normal(3, 4, 5))
    have = kobai.vmap(f)(x)
    for i in range(3):
        np.testing.assert_allclose(have[i].numpy(), f(x[i]).numpy(), rtol=1e-12, atol=1e-12)
