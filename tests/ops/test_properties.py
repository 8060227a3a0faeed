"""Properties that hold for tensors of any shape, dtype and memory layout; the expectations are NumPy's or mathematics."""
import math

import numpy as np
import pytest

pytest.importorskip("hypothesis")
from hypothesis import assume, given, settings, strategies as st
from hypothesis.extra import numpy as arrays_of

import kobai
from kobai.func import jvp, vmap

quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
shapes = arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
floats = st.floats(-4, 4, width=32).map(lambda v: round(v, 2))
UNARY = [kobai.sin, kobai.exp, kobai.tanh, kobai.sigmoid, kobai.square, kobai.atan, kobai.erf, kobai.nn.functional.gelu,
         kobai.nn.functional.silu, kobai.nn.functional.softplus, kobai.cos, kobai.asinh]


def arrays(shape=shapes, dtype=np.float64):
    return arrays_of.arrays(dtype, shape, elements=floats)


@st.composite
def layouts(draw):
    """An array, and the same elements in other memory: a tensor that is a transposed or strided view, or as it is."""
    a = draw(arrays())
    kind = draw(st.sampled_from(["plain", "transposed", "strided", "broadcast"]))
    if kind == "transposed":
        axes = draw(st.permutations(range(a.ndim)))
        return a, kobai.tensor(np.array(a.transpose(axes), order="C")).permute(*np.argsort(axes).tolist())
    if kind == "strided" and a.ndim:
        wide = np.repeat(a, 2, -1)
        return a, kobai.tensor(wide)[..., ::2]
    if kind == "broadcast" and a.ndim and a.shape[0]:
        a = np.broadcast_to(a[:1], a.shape)
        return a, kobai.tensor(np.array(a[:1])).expand(a.shape)
    return a, kobai.tensor(a)


@quick
@given(pair=layouts(), fn=st.sampled_from(UNARY))
def test_memory_layout_does_not_matter(pair, fn):
    a, x = pair
    assert x.shape == a.shape
    np.testing.assert_array_equal(fn(x).numpy(), fn(kobai.tensor(a)).numpy())
    np.testing.assert_allclose(x.sum().item(), a.sum(), atol=1e-9)


@quick
@given(pair=arrays_of.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3), data=st.data(),
       name=st.sampled_from(["add", "subtract", "multiply", "maximum", "less", "hypot"]))
def test_broadcasting_is_numpys(pair, data, name):
    a, b = [data.draw(arrays(st.just(s))) for s in pair.input_shapes]
    ours = getattr(kobai, {"subtract": "sub", "multiply": "mul", "less": "lt"}.get(name, name))(kobai.tensor(a), kobai.tensor(b))
    expected = getattr(np, name)(a, b)
    assert ours.shape == expected.shape == pair.result_shape
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-14)


@quick
@given(pair=arrays_of.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3), data=st.data())
def test_the_gradient_of_broadcasting_sums(pair, data):
    """d sum(a b) / da is b summed over where a was repeated; so <a, da> = <b, db> = sum(a b)."""
    a, b = [kobai.tensor(data.draw(arrays(st.just(s))), requires_grad=True) for s in pair.input_shapes]
    total = (a * b).sum()
    total.backward()
    for t in (a, b):
        assert t.grad.shape == t.shape
        np.testing.assert_allclose((t * t.grad).sum().item(), total.item(), rtol=1e-9, atol=1e-9)


@quick
@given(a=arrays(), fn=st.sampled_from(UNARY), seed=st.integers(0, 99))
def test_backward_forward_and_differences_agree(a, fn, seed):
    assume(a.size)
    rng = np.random.default_rng(seed)
    x, v = kobai.tensor(a, requires_grad=True), kobai.tensor(rng.standard_normal(a.shape))
    y = fn(x)
    w = kobai.tensor(rng.standard_normal(tuple(y.shape)))
    (y * w).sum().backward()
    _, tangent = jvp(fn, (x.detach(),), (v,))
    backward, forward = (x.grad * v).sum().item(), (tangent * w).sum().item()
    h = 1e-6
    moved = [(fn(x.detach() + s * h * v) * w).sum().item() for s in (1, -1)]
    assert math.isclose(backward, forward, rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(backward, (moved[0] - moved[1]) / (2 * h), rel_tol=1e-4, abs_tol=1e-5)


@quick
@given(a=arrays(arrays_of.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)), fn=st.sampled_from(UNARY), data=st.data())
def test_vmap_is_a_loop(a, fn, data):
    dim = data.draw(st.integers(0, a.ndim - 1))
    x = kobai.tensor(a)

    def f(row):
        return fn(row) - row.sum()
    found = vmap(f, in_dims=dim, out_dims=dim)(x)
    expected = kobai.stack([f(x.select(dim, i)) for i in range(a.shape[dim])], dim)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)


@quick
@given(a=arrays(arrays_of.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)), data=st.data())
def test_views_share_memory_and_copies_do_not(a, data):
    base = kobai.tensor(a)
    dim = data.draw(st.integers(0, a.ndim - 1))
    views = [base.transpose(0, dim), base.narrow(dim, 0, 1), base.unsqueeze(dim), base.select(dim, 0), base[...], base.detach()]
    copies = [base.clone(), base + 0, base.flip(dim), kobai.tensor(a)]
    kept = [c.tolist() for c in copies]
    base.fill_(9.0)
    assert all(bool((v == 9).all()) for v in views)
    assert [c.tolist() for c in copies] == kept
    views[data.draw(st.integers(0, 3))].zero_()
    assert bool((base == 0).any())
    assert base._version == 2 and all(v._version == 2 for v in views)


@quick
@given(a=arrays(arrays_of.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)), data=st.data())
def test_gradients_through_writing_into_a_view(a, data):
    """What is overwritten has no influence; what is scaled has that much."""
    dim = data.draw(st.integers(0, a.ndim - 1))
    x = kobai.tensor(a, requires_grad=True)
    y = x * 1.0
    y.narrow(dim, 0, 1).mul_(3.0)
    y.transpose(0, dim).select(0, a.shape[dim] - 1).zero_()
    y.sum().backward()
    expected = np.ones(a.shape)
    rows = [np.take(expected, i, dim) for i in range(a.shape[dim])]
    rows[0] = rows[0] * 3
    rows[-1] = rows[-1] * 0
    np.testing.assert_array_equal(x.grad.numpy(), np.stack(rows, dim))


@quick
@given(a=arrays(), data=st.data())
def test_reshaping_keeps_the_elements_in_order(a, data):
    x = kobai.tensor(a, requires_grad=True)
    n = a.size
    sides = data.draw(st.sampled_from([d for d in range(1, n + 1) if n % d == 0])) if n else 0
    y = x.permute(*range(a.ndim)[::-1]).reshape(sides, n // sides if sides else 3)
    np.testing.assert_array_equal(y.detach().numpy().ravel(), a.T.ravel())
    weights = kobai.arange(float(n), dtype=kobai.float64).reshape(y.shape)
    (y * weights).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.arange(float(n)).reshape(a.T.shape).T)


KINDS = ["bool", "uint8", "int8", "int32", "int64", "float32", "float64", "complex64"]


@quick
@given(names=st.tuples(*[st.sampled_from(KINDS)] * 3))
def test_promotion_is_a_lattice(names):
    """Commutative, associative, idempotent, and never to something smaller."""
    a, b, c = [getattr(kobai, n) for n in names]
    join = kobai.promote_types
    assert join(a, b) is join(b, a)
    assert join(join(a, b), c) is join(a, join(b, c))
    assert join(a, a) is a
    assert kobai.can_cast(a, join(a, b))
    assert (kobai.ones(1, dtype=a) + kobai.ones(1, dtype=b)).dtype is join(a, b)
