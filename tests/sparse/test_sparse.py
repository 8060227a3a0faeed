"""Sparse tensors against the dense ones they stand for, by NumPy and by the gradients of the dense program."""
import copy
import pickle

import numpy as np
import pytest

import kobai

INDICES = [[0, 1, 1, 0], [2, 0, 2, 2]]  # (0, 2) occurs twice
DENSE = np.array([[0.0, 0, 4], [4, 0, 5]], np.float32)


def matrix(values=(3.0, 4.0, 5.0, 1.0)):
    return kobai.sparse_coo_tensor(INDICES, kobai.tensor(values), (2, 3))


def test_equal_indices_add_up():
    x = matrix()
    assert (x.is_sparse, x.is_coalesced(), x._nnz(), x.shape) == (True, False, 4, (2, 3))
    np.testing.assert_array_equal(x.to_dense().numpy(), DENSE)
    y = x.coalesce()
    assert y.indices().tolist() == [[0, 1, 1], [2, 0, 2]]
    assert y.values().tolist() == [4, 4, 5]
    assert y.coalesce() is y


@pytest.mark.parametrize("sparse_dim", [1, 2, 3])
def test_dense_dimensions(sparse_dim):
    a = np.random.default_rng(0).integers(-1, 2, (3, 4, 2)).astype(np.float32)
    x = kobai.from_numpy(a).to_sparse(sparse_dim)
    assert (x.sparse_dim(), x.dense_dim()) == (sparse_dim, 3 - sparse_dim)
    np.testing.assert_array_equal(x.to_dense().numpy(), a)
    np.testing.assert_array_equal(kobai.sparse.sum(x, 0).to_dense().numpy(), a.sum(0))
    np.testing.assert_array_equal(kobai.sparse.sum(x, (1, 2)).to_dense().numpy(), a.sum((1, 2)))


PRODUCTS = {"x @ d": lambda x, d: x @ d.t(), "d @ x": lambda x, d: d.t() @ x, "mv": lambda x, d: kobai.mv(x, d[0]),
            "x + x": lambda x, d: x + x, "3 x": lambda x, d: x * 3, "tanh": lambda x, d: x.tanh(),
            "x x": lambda x, d: x * x, "t": lambda x, d: x.t(), "d + x": lambda x, d: d + x}
OTHERS = {"x / 2": lambda x, d: x / 2, "-x": lambda x, d: -x, "x - 2 x": lambda x, d: x - 2 * x,
          "x d": lambda x, d: x * d, "x @ x": lambda x, d: x @ x.t(), "power": lambda x, d: x ** 2,
          "sum": lambda x, d: x.sum(),
          "sum 1": lambda x, d: x.sum(1), "cat": lambda x, d: kobai.cat([x, x], 1), "row": lambda x, d: x[1],
          "column": lambda x, d: x[:, 2], "unsqueeze": lambda x, d: x.unsqueeze(1), "double": lambda x, d: x.double(),
          "norm": lambda x, d: x.norm(), "narrow": lambda x, d: x.narrow(1, 1, 2),
          "zeros": lambda x, d: kobai.zeros_like(x),
          "addmm": lambda x, d: kobai.addmm(d[:, :2], x, d.t())}
CASES = [(layout, name, f) for layout in ("coo", "csr", "csc") for name, f in (
    {**PRODUCTS, **OTHERS} if layout == "coo" else PRODUCTS).items()]


@pytest.mark.parametrize(("layout", "name", "program"), CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_ops_give_what_they_give_on_dense_tensors(layout, name, program):
    d = kobai.arange(6.0).reshape(2, 3)
    x = matrix() if layout == "coo" else getattr(matrix(), "to_sparse_" + layout)()
    found, wanted = program(x, d), program(kobai.from_numpy(DENSE), d)
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_allclose(found.to_dense().numpy(), wanted.numpy(), rtol=1e-6)


@pytest.mark.parametrize("program", [
    lambda to, x, d: to.mm(x, d.t()).pow(2).sum(), lambda to, x, d: (x * d.detach()).to_dense().pow(2).sum(),
    lambda to, x, d: (to.sum(x, 0).to_dense() * d[0]).sum(), lambda to, x, d: (2 * x + x).to_dense().pow(3).sum(),
    lambda to, x, d: (x.t().to_dense() * d.t()).sum(), lambda to, x, d: to.addmm(d[:, :2], x, d.t()).pow(2).sum()])
def test_gradients_are_those_of_the_dense_program_on_the_indices(program):
    x, d = matrix().coalesce().requires_grad_(), kobai.arange(1.0, 7.0).reshape(2, 3).requires_grad_()
    full, e = kobai.tensor(DENSE, requires_grad=True), d.detach().clone().requires_grad_()
    program(kobai.sparse, x, d).backward()
    program(kobai, full, e).backward()
    assert x.grad.is_sparse
    np.testing.assert_allclose(x.grad.to_dense().numpy(), full.grad.numpy() * (DENSE != 0), rtol=1e-6)
    if e.grad is not None:
        np.testing.assert_allclose(d.grad.numpy(), e.grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dim", [0, 1])
def test_softmax_is_that_of_minus_infinity_elsewhere(dim, log):
    x = matrix().coalesce().requires_grad_()
    full = kobai.from_numpy(np.where(DENSE == 0, -np.inf, DENSE)).requires_grad_()
    fn = (kobai.sparse.log_softmax, kobai.log_softmax) if log else (kobai.sparse.softmax, kobai.softmax)
    y, z = fn[0](x, dim).values(), fn[1](full, dim)[kobai.from_numpy(DENSE != 0)]
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-6)
    weights = kobai.tensor([1.0, 2.0, -3.0])
    (y * weights).sum().backward()
    (z * weights).sum().backward()
    np.testing.assert_allclose(x.grad.values().numpy(), full.grad.numpy()[DENSE != 0], rtol=1e-5, atol=1e-6)


def test_gradients_of_values_and_through_to_sparse():
    v = kobai.tensor([3.0, 4.0, 5.0, 1.0], requires_grad=True)
    x = kobai.sparse_coo_tensor(INDICES, v, (2, 3))
    (x.to_dense() * kobai.arange(6.0).reshape(2, 3)).sum().backward()
    assert v.grad.tolist() == [2, 3, 5, 2]
    a = kobai.tensor(DENSE, requires_grad=True)
    (a.to_sparse().values() ** 2).sum().backward()
    np.testing.assert_array_equal(a.grad.numpy(), 2 * DENSE)


def test_a_gradient_twice_is_twice_the_gradient():
    x = matrix().coalesce().requires_grad_()
    for _ in range(2):
        kobai.sparse.sum(x).backward()
    assert x.grad.is_sparse
    np.testing.assert_array_equal(x.grad.to_dense().numpy(), 2.0 * (DENSE != 0))


def test_compressed_matrices():
    x = matrix().to_sparse_csr()
    assert (x.layout, x.is_sparse_csr, x.is_sparse) == (kobai.sparse_csr, True, False)
    assert (x.crow_indices().tolist(), x.col_indices().tolist()) == ([0, 1, 3], [2, 0, 2])
    y = kobai.sparse_csr_tensor(x.crow_indices(), x.col_indices(), x.values(), (2, 3))
    np.testing.assert_array_equal(y.to_dense().numpy(), DENSE)
    z = x.to_sparse_csc()
    assert (z.ccol_indices().tolist(), z.row_indices().tolist()) == ([0, 1, 1, 3], [1, 0, 1])
    np.testing.assert_array_equal(z.to_sparse().to_dense().numpy(), DENSE)


@pytest.mark.parametrize("layout", ["bsr", "bsc"])
def test_blocks(layout):
    a = np.zeros((4, 6), np.float32)
    a[0, 1], a[3, 4], a[2, 5], a[2, 0] = 1, 2, 3, 4
    x = getattr(kobai.from_numpy(a), "to_sparse_" + layout)((2, 3))
    assert (x.layout.name, x._nnz(), x.values().shape) == ("sparse_" + layout, 3, (3, 2, 3))
    np.testing.assert_array_equal(x.to_dense().numpy(), a)
    np.testing.assert_array_equal((x @ kobai.eye(6)).numpy(), a)
    np.testing.assert_array_equal((2 * x).to_dense().numpy(), 2 * a)
    with pytest.raises(RuntimeError, match="must be divisible by given blocksize"):
        kobai.ones(3, 4).to_sparse_bsr((2, 2))


def test_in_place_copies_and_pickles():
    x = matrix().coalesce()
    y, z = copy.deepcopy(x), pickle.loads(pickle.dumps(x))
    x.mul_(2)
    np.testing.assert_array_equal(x.to_dense().numpy(), 2 * DENSE)
    for same in (y, z):
        assert same.layout is kobai.sparse_coo
        np.testing.assert_array_equal(same.to_dense().numpy(), DENSE)


def test_it_prints_as_in_pytorch():
    assert str(matrix()) == """\
tensor(indices=tensor([[0, 1, 1, 0],
                       [2, 0, 2, 2]]),
       values=tensor([3., 4., 5., 1.]),
       size=(2, 3), nnz=4, layout=torch.sparse_coo)"""


@pytest.mark.parametrize(("program", "kind", "phrase"), [
    (lambda: matrix().indices(), RuntimeError, "Cannot get indices on an uncoalesced tensor"),
    (lambda: matrix().numpy(), TypeError, "can't convert Sparse layout tensor to numpy"),
    (lambda: matrix().exp(), NotImplementedError, "Could not run 'aten::exp' with arguments from the 'SparseCPU'"),
    (lambda: matrix() + 1, RuntimeError, "add(sparse, dense) is not supported"),
    (lambda: kobai.ones(2).coalesce(), RuntimeError, "coalesce expected sparse coordinate tensor layout but got Str"),
    (lambda: kobai.sparse_coo_tensor([[0, -1]], [1.0, 2.0]), RuntimeError, "found negative index -1 for dim 0"),
    (lambda: kobai.sparse_coo_tensor([[0, 5]], [1.0, 2.0], (3,)), RuntimeError, "size is inconsistent with indices"),
    (lambda: kobai.sparse_coo_tensor([[0, 1]], [1.0], (3,)), RuntimeError, "indices and values must have same nnz")])
def test_what_cannot_be_says_so(program, kind, phrase):
    with pytest.raises(kind) as caught:
        program()
    assert str(caught.value).startswith(phrase)
