"""Sparse tensors, as PyTorch prints them: each line below gives the same text in kobai and in PyTorch."""
import pytest

START = "i = torch.tensor([[0, 1, 1, 0], [2, 0, 2, 2]]); s = torch.sparse_coo_tensor(i, torch.tensor([3., 4, 5, 1]), (2, 3)); d = torch.arange(6.).reshape(2, 3); "
CASES = """
s
s.coalesce()
s.coalesce().requires_grad_()
s.is_sparse, s.layout, s.shape, s.dtype, s.sparse_dim(), s.dense_dim(), s._nnz(), s.is_coalesced(), s.numel(), len(s)
s.to_dense(), s.sum(), s.coalesce().norm()
s.t(), s / 2, 3 * s, -s
d + s, s @ d.t(), d.t() @ s, torch.mv(s, torch.ones(3))
s * torch.ones(3)
(s * s).to_dense(), (s - s).to_dense()
torch.sparse.mm(s, s.t()), torch.sparse.mm(s, d.t())
torch.sparse.sum(s), torch.sparse.sum(s, 0), torch.sparse.sum(s, dim=(1,))
torch.sparse.softmax(s, 1), torch.sparse.log_softmax(s, 0)
torch.cat([s, s]), s.unsqueeze(0), s[1], s[1, 2]
s.sqrt(), s.tanh(), s ** 2
s.double(), s.bool(), torch.zeros_like(s)
d.to_sparse(), d.to_sparse(1), d.sparse_mask(s.coalesce())
s.to_sparse_csr(), d.to_sparse_csc()
c = d.to_sparse_csr(); c.crow_indices(), c.col_indices(), c.values(), c.layout, c @ d.t()
torch.arange(24.).reshape(4, 6).to_sparse_bsr((2, 3))
torch.eye(4).to_sparse_bsc((2, 2))
torch.eye(4).to_sparse_bsr((2, 2)).crow_indices()
torch.sparse_csr_tensor(torch.tensor([0, 1, 2]), torch.tensor([0, 1]), torch.tensor([1., 2.]))
torch.sparse_coo_tensor((2, 3))
torch.sparse_coo_tensor([[0, 1]], [True, False]), torch.sparse_coo_tensor([[0, 0]], [1 + 2j, 3.]).coalesce()
torch.sparse_coo_tensor([[0, 1]], [1, 2], dtype=torch.float64, requires_grad=True)
torch.sparse.spdiags(torch.arange(9.).reshape(3, 3), torch.tensor([0, 1, -1]), (4, 4)).to_dense()
x = d.clone().requires_grad_(); (x.to_sparse().values() ** 2).sum().backward(); x.grad
v = torch.ones(4, requires_grad=True); (torch.sparse_coo_tensor(i, v, (2, 3)).to_dense() * d).sum().backward(); v.grad
v = torch.ones(4, requires_grad=True); y = torch.sparse_coo_tensor(i, v, (2, 3)); y, y.coalesce(), y.to_dense(), y.coalesce().values()
x = s.coalesce().requires_grad_(); torch.sparse.mm(x, d.t()).pow(2).sum().backward(); x.grad
w = torch.ones(5, 2, requires_grad=True); torch.nn.functional.embedding(torch.tensor([1, 3, 1]), w, sparse=True).pow(2).sum().backward(); w.grad, w.grad.coalesce()
w = torch.ones(5, 2, requires_grad=True); torch.nn.functional.embedding_bag(torch.tensor([1, 3, 1]), w, torch.tensor([0, 2]), sparse=True, mode='sum').sum().backward(); w.grad.coalesce()
s.indices()
s.values()
torch.ones(2).coalesce()
torch.ones(2).indices()
torch.ones(2).values()
s + 1
s.reshape(6)
d.to_sparse(3)
torch.sparse_coo_tensor([[0, -1]], [1., 2.])
torch.sparse_coo_tensor([[0, 1], [0, 1]], [1., 2., 3.], (2, 3))
""".strip().splitlines()


@pytest.mark.parametrize("line", CASES)
def test_same(line, same):
    same(START + line)
