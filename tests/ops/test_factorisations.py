"""LU, LDL, reflections, norms and low rank: by their definitions, with NumPy, and by central differences."""
import numpy as np
import pytest

import kobai
from kobai import linalg

pytest.importorskip("scipy")
RNG = np.random.default_rng(0)


def numbers(*shape, complex_=False):
    x = RNG.standard_normal(shape)
    return x + 1j * RNG.standard_normal(shape) if complex_ else x


def slope(fn, x):
    """<gradient of fn, d> and the central difference of fn along a direction d."""
    d = numbers(*x.shape, complex_=np.iscomplexobj(x))
    t = kobai.tensor(x, requires_grad=True)
    fn(t).backward()
    h = 1e-6
    plus, minus = (fn(kobai.tensor(x + s * h * d)).item() for s in (1, -1))
    return np.vdot(t.grad.numpy(), d).real, (plus - minus) / (2 * h)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 3), (0, 3), (2, 0, 2)])
def test_p_l_u_is_a(shape, complex_):
    a = kobai.from_numpy(numbers(*shape, complex_=complex_))
    for p, lower, upper in (linalg.lu(a), kobai.lu_unpack(*linalg.lu_factor(a))):
        np.testing.assert_allclose((p @ lower @ upper).numpy(), a.numpy(), atol=1e-12)
        np.testing.assert_array_equal(np.triu(lower.numpy(), 1), 0)
        np.testing.assert_array_equal(np.tril(upper.numpy(), -1), 0)
        assert np.all(np.abs(lower.numpy()) <= 1 + 1e-12) or complex_


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
@pytest.mark.parametrize("complex_", [False, True])
def test_gradients_of_lu(shape, complex_):
    x = numbers(*shape, complex_=complex_)
    weights = [kobai.from_numpy(numbers(*v.shape)) for v in linalg.lu(kobai.from_numpy(x))[1:]]

    def by_lu(a):
        return sum((kobai.real(v * v) * w).sum() for v, w in zip(linalg.lu(a)[1:], weights))

    def by_factor(a):
        return sum((kobai.real(v * v) * w).sum() for v, w in zip(kobai.lu_unpack(*linalg.lu_factor(a))[1:], weights))
    for fn in (by_lu, by_factor):
        have, want = slope(fn, x)
        assert have == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("options", [{}, {"left": False}, {"adjoint": True}, {"left": False, "adjoint": True}])
def test_lu_solve(options, complex_):
    a, b = numbers(2, 3, 3, complex_=complex_), numbers(2, 3, 3, complex_=complex_)
    x = linalg.lu_solve(*linalg.lu_factor(kobai.from_numpy(a)), kobai.from_numpy(b), **options).numpy()
    m = np.conj(np.swapaxes(a, -1, -2)) if options.get("adjoint") else a
    np.testing.assert_allclose(m @ x if options.get("left", True) else x @ m, b, atol=1e-10)


@pytest.mark.parametrize("hermitian", [False, True])
def test_ldl_solve(hermitian):
    a = numbers(2, 4, 4, complex_=hermitian)
    a = a + (np.conj(np.swapaxes(a, -1, -2)) if hermitian else np.swapaxes(a, -1, -2))
    b = numbers(2, 4, 3, complex_=hermitian)
    x = linalg.ldl_solve(*linalg.ldl_factor(kobai.from_numpy(a), hermitian=hermitian), kobai.from_numpy(b),
                         hermitian=hermitian)
    np.testing.assert_allclose(a @ x.numpy(), b, atol=1e-10)


@pytest.mark.parametrize("complex_", [False, True])
def test_reflections(complex_):
    a, c = (kobai.from_numpy(numbers(*s, complex_=complex_)) for s in ((2, 4, 3), (2, 4, 4)))
    h, tau = kobai.geqrf(a)
    q = linalg.householder_product(h, tau)
    np.testing.assert_allclose((q @ kobai.triu(h[:, :3])).numpy(), a.numpy(), atol=1e-12)
    whole = kobai.ormqr(h, tau, kobai.eye(4, dtype=a.dtype).expand(2, 4, 4))
    np.testing.assert_allclose(whole[..., :3].numpy(), q.numpy(), atol=1e-12)
    back = whole.mH
    np.testing.assert_allclose(kobai.ormqr(h, tau, c, transpose=True).numpy(), (back @ c).numpy(), atol=1e-12)
    np.testing.assert_allclose(kobai.ormqr(h, tau, c, left=False).numpy(), (c @ whole).numpy(), atol=1e-12)


ORDERS = ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]


@pytest.mark.parametrize("ord", ORDERS)
def test_norms_of_matrices(ord):
    x = numbers(3, 2, 4)
    want = np.linalg.norm(x, ord, (-2, -1))
    np.testing.assert_allclose(linalg.matrix_norm(kobai.from_numpy(x), ord).numpy(), want)
    kept = linalg.norm(kobai.from_numpy(x), ord, dim=(0, 2), keepdim=True)
    np.testing.assert_allclose(kept.numpy(), np.linalg.norm(x, ord, (0, 2), keepdims=True))
    have, difference = slope(lambda t: linalg.matrix_norm(t, ord).sum(), x)
    assert have == pytest.approx(difference, rel=1e-5)


def test_norms_without_dim_and_of_nothing():
    x = kobai.from_numpy(numbers(2, 3, 4))
    assert linalg.norm(x).item() == pytest.approx(np.linalg.norm(x.numpy()))
    assert linalg.norm(x[0], 1).item() == pytest.approx(np.linalg.norm(x[0].numpy(), 1))
    assert linalg.norm(x[0, 0], 1).item() == pytest.approx(np.abs(x[0, 0].numpy()).sum())
    assert [linalg.matrix_norm(kobai.zeros(0, 2), p).item() for p in (1, 2, "nuc", "fro")] == [0, 0, 0, 0]


@pytest.mark.parametrize("p", [None, *ORDERS])
def test_condition_numbers(p):
    x = numbers(2, 3, 3)
    np.testing.assert_allclose(linalg.cond(kobai.from_numpy(x), p).numpy(), np.linalg.cond(x, p), rtol=1e-9)
    singular = kobai.tensor([[1.0, 1.0], [1.0, 1.0]], dtype=kobai.float64)
    if p in (1, np.inf, "fro"):
        assert linalg.cond(singular, p).item() == np.inf


def test_low_rank():
    a = kobai.from_numpy(numbers(7, 3) @ numbers(3, 6))
    for x in (a, a.mT):
        u, s, v = kobai.svd_lowrank(x, 3)
        np.testing.assert_allclose((u * s @ v.mT).numpy(), x.numpy(), atol=1e-10)
    u, s, v = kobai.pca_lowrank(a, 4)
    centred = a.numpy() - a.numpy().mean(0)
    np.testing.assert_allclose(s.numpy()[:3], np.linalg.svd(centred, compute_uv=False)[:3])


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("general", [False, True])
def test_lobpcg(largest, general):
    a, b = numbers(7, 7), numbers(7, 7)
    a, b = a + a.T, b @ b.T + np.eye(7)
    values, x = kobai.lobpcg(kobai.from_numpy(a), 2, kobai.from_numpy(b) if general else None, largest=largest)
    right = b if general else np.eye(7)
    np.testing.assert_allclose(a @ x.numpy(), right @ x.numpy() * values.numpy(), atol=1e-9)
    every = np.sort(np.linalg.eigvals(np.linalg.solve(right, a)).real)
    np.testing.assert_allclose(values.numpy(), every[::-1][:2] if largest else every[:2])


@pytest.mark.parametrize(("program", "phrase"), [
    (lambda: linalg.lu_factor(kobai.zeros(2, 2)), "torch.linalg.lu_factor: U[1,1] is zero and using it on lu_solve"),
    (lambda: linalg.lu(kobai.ones(2, 2), pivot=False), "linalg.lu_factor: LU without pivoting is not implemented"),
    (lambda: linalg.matrix_norm(kobai.ones(2)), "linalg.matrix_norm: The input tensor A must have at least 2 dim"),
    (lambda: linalg.matrix_norm(kobai.ones(2, 2), 3), "linalg.matrix_norm: Order 3 not supported."),
    (lambda: linalg.norm(kobai.ones(2, 2, 2), 2), "linalg.norm: If dim is not specified but ord is, the input must"),
    (lambda: linalg.cond(kobai.ones(2, 2), "x"), "linalg.cond got an invalid norm type: x")])
def test_errors(program, phrase):
    with pytest.raises(RuntimeError) as caught:
        program()
    assert str(caught.value).startswith(phrase)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 4, 3)])
def test_least_squares(shape):
    a, b = numbers(*shape), numbers(*shape[:-1], 2)
    x, residuals, rank, values = linalg.lstsq(kobai.from_numpy(a), kobai.from_numpy(b), driver="gelsd")
    np.testing.assert_allclose(x.numpy(), np.linalg.pinv(a) @ b, atol=1e-10)
    np.testing.assert_allclose(values.numpy(), np.linalg.svd(a, compute_uv=False))
    assert (rank == min(shape[-2:])).all()
    left = ((b - a @ x.numpy()) ** 2).sum(-2) if shape[-2] > shape[-1] else np.empty(0)
    np.testing.assert_allclose(residuals.numpy(), left)
    assert [v.shape for v in linalg.lstsq(kobai.from_numpy(a), kobai.from_numpy(b))[1::2]] == [(0,), (0,)]


def test_pseudoinverse_with_tolerances():
    a = np.stack([np.diag([3.0, 2.0, 1e-3]), np.diag([3.0, 2.0, 1.0])])
    x = kobai.from_numpy(a)
    y = linalg.pinv(x, atol=kobai.tensor([0.5, 2.5], dtype=kobai.float64)).numpy()
    np.testing.assert_allclose(y, np.stack([np.diag([1 / 3, 1 / 2, 0]), np.diag([1 / 3, 0, 0])]), atol=1e-12)
    assert linalg.matrix_rank(x, rtol=kobai.tensor([0.1, 0.5])).tolist() == [2, 2]
    assert linalg.matrix_rank(x).tolist() == [3, 3] and linalg.matrix_rank(x[0], 0.5).item() == 2
    lower = kobai.from_numpy(np.tril(numbers(3, 3)))
    full = lower + lower.tril(-1).mT
    np.testing.assert_allclose(linalg.pinv(lower, hermitian=True).numpy(), np.linalg.pinv(full.numpy()), atol=1e-9)


def test_gradient_of_a_pseudoinverse_of_low_rank():
    u, v = numbers(4, 2), numbers(2, 5)
    w = kobai.from_numpy(numbers(5, 4))
    have, want = slope(lambda a: (linalg.pinv(a @ kobai.from_numpy(v), rtol=1e-8) * w).sum(), u)
    assert have == pytest.approx(want, rel=1e-5)


def test_both_names_of_the_determinants_logarithm_write_into_out():
    a = kobai.tensor([[3.0, 0.0], [0.0, -1.0]])
    for slogdet, name in ((kobai.slogdet, "slogdet"), (kobai.linalg.slogdet, "linalg_slogdet")):
        out = kobai.zeros(()), kobai.zeros(())
        found = slogdet(a, out=out)
        assert type(found).__name__ == name
        assert [found[0].item(), out[0].item()] == [-1.0, -1.0]
        assert found[1] is out[1] and out[1].item() == pytest.approx(np.log(3))


# Infos, errors and the good matrices as PyTorch 2.13 gives them; it leaves other numbers in the bad ones.
NOT_POSITIVE = [[[4.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]
SINGULAR = [[[4.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]]
TOLD = {
    "cholesky_ex": (NOT_POSITIVE, (), [[2.0, 0.0], [0.0, 1.0]],
                    r"^linalg.cholesky_ex: \(Batch element 1\): .*leading minor of order 2 is not positive-definite"),
    "inv_ex": (SINGULAR, (), [[0.25, 0.0], [0.0, 1.0]],
               r"^linalg.inv_ex: \(Batch element 1\): The diagonal element 2 is zero"),
    "solve_ex": (SINGULAR, (kobai.ones(3, 2, 1),), [[0.25], [1.0]],
                 r"^torch.linalg.solve_ex: \(Batch element 1\): The solver failed because the input matrix is singular"),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_cannot_be_factorised_is_told_in_info(name):
    matrices, others, good, message = TOLD[name]
    a, fn = kobai.tensor(matrices, requires_grad=True), getattr(linalg, name)
    y, info = fn(a, *others)
    assert info.tolist() == [0, 2, 1] and info.dtype is kobai.int32
    assert y[0].tolist() == good and y[1:].isnan().all()
    y[0].sum().backward()
    assert a.grad[0].abs().sum() > 0 and not a.grad[1:].any()
    with pytest.raises(linalg.LinAlgError, match=message):
        fn(a, *others, check_errors=True)
    y, info = fn(a[0], *[b[0] for b in others])
    assert info.item() == 0 and y.tolist() == good


def test_a_compiled_function_looks_at_each_matrix_anew():
    def root(a):
        L, info = linalg.cholesky_ex(a)
        return L, info
    compiled = kobai.compile(root)
    bad, good = kobai.tensor(NOT_POSITIVE), kobai.eye(2).repeat(3, 1, 1)
    for a, infos in ((bad, [0, 2, 1]), (bad, [0, 2, 1]), (bad, [0, 2, 1]), (good, [0, 0, 0]), (bad, [0, 2, 1])):
        assert compiled(a)[1].tolist() == infos


def test_older_names_write_into_out():
    x = kobai.tensor([[2.0, 0.0], [0.0, 3.0]])
    for fn, args, want in ((kobai.chain_matmul, (x, x), x @ x), (kobai.special.psi, (x + 1,), kobai.digamma(x + 1)),
                           (kobai.special.gammaln, (x + 1,), kobai.lgamma(x + 1)),
                           (kobai.special.multigammaln, (x + 2, 2), kobai.mvlgamma(x + 2, 2))):
        out = kobai.zeros(2, 2)
        assert fn(*args, out=out) is out and kobai.equal(out, want)
    out = kobai.ones(2, 2), kobai.ones(2), kobai.ones(2, 2)
    kobai.svd(x, compute_uv=False, out=out)
    assert [v.tolist() for v in out] == [[[0, 0], [0, 0]], [3, 2], [[0, 0], [0, 0]]]
