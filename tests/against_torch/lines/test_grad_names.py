"""The names of the nodes that views and indexing record: each line below gives the same text in kobai and in PyTorch."""
import pytest

CASES = """
x=torch.randn(4,3,requires_grad=True); x.view(12).grad_fn
x=torch.randn(4,3,requires_grad=True); x.reshape(12).grad_fn
x=torch.randn(4,3,requires_grad=True); x.t().reshape(12).grad_fn
x=torch.randn(4,3,requires_grad=True); x.t().grad_fn
x=torch.randn(4,3,requires_grad=True); x.T.grad_fn
x=torch.randn(4,3,2,requires_grad=True); x.T.grad_fn
x=torch.randn(4,3,requires_grad=True); x.mT.grad_fn
x=torch.randn(4,3,requires_grad=True); x.H.grad_fn
x=torch.randn(4,3,requires_grad=True); x.mH.grad_fn
x=torch.randn(4,3,requires_grad=True); x.adjoint().grad_fn
x=torch.randn(4,3,requires_grad=True); x.transpose(0,1).grad_fn
x=torch.randn(4,3,requires_grad=True); x.permute(1,0).grad_fn
x=torch.randn(4,3,requires_grad=True); x.movedim(0,1).grad_fn
x=torch.randn(4,3,requires_grad=True); x.moveaxis(0,1).grad_fn
x=torch.randn(4,3,requires_grad=True); x.swapaxes(0,1).grad_fn
x=torch.randn(4,3,requires_grad=True); x.flatten().grad_fn
x=torch.randn(4,3,requires_grad=True); x.t().flatten().grad_fn
x=torch.randn(4,3,requires_grad=True); x.ravel().grad_fn
x=torch.randn(4,3,requires_grad=True); x.unflatten(0,(2,2)).grad_fn
x=torch.randn(4,3,requires_grad=True); x.expand(2,4,3).grad_fn
x=torch.randn(4,3,requires_grad=True); x.broadcast_to(2,4,3).grad_fn
x=torch.randn(4,3,requires_grad=True); torch.broadcast_tensors(x, torch.ones(2,1,1))[0].grad_fn
x=torch.randn(4,1,requires_grad=True); x.squeeze().grad_fn
x=torch.randn(4,1,requires_grad=True); x.squeeze(1).grad_fn
x=torch.randn(4,1,requires_grad=True); x.squeeze((0,1)).grad_fn
x=torch.randn(4,1,requires_grad=True); x.unsqueeze(1).grad_fn
x=torch.randn(4,3,requires_grad=True); x.select(0,1).grad_fn
x=torch.randn(4,3,requires_grad=True); x.narrow(0,1,2).grad_fn
x=torch.randn(4,3,requires_grad=True); x.narrow_copy(0,1,2).grad_fn
x=torch.randn(4,3,requires_grad=True); x[1].grad_fn
x=torch.randn(4,3,requires_grad=True); x[1:2].grad_fn
x=torch.randn(4,3,requires_grad=True); x[:].grad_fn
x=torch.randn(4,3,requires_grad=True); x[...].grad_fn
x=torch.randn(4,3,requires_grad=True); x[None].grad_fn
x=torch.randn(4,3,requires_grad=True); x[True].grad_fn
x=torch.randn(4,3,requires_grad=True); x[[0,1]].grad_fn
x=torch.randn(4,3,requires_grad=True); x[x>0].grad_fn
x=torch.randn(4,3,requires_grad=True); x.unfold(0,2,1).grad_fn
x=torch.randn(4,3,requires_grad=True); x.split(2)[0].grad_fn
x=torch.randn(4,3,requires_grad=True); x.split([1,3])[0].grad_fn
x=torch.randn(4,3,requires_grad=True); x.split_with_sizes([1,3])[0].grad_fn
x=torch.randn(4,3,requires_grad=True); x.chunk(2)[0].grad_fn
x=torch.randn(4,3,requires_grad=True); x.tensor_split(2)[0].grad_fn
x=torch.randn(4,3,requires_grad=True); x.hsplit(3)[0].grad_fn
x=torch.randn(4,3,requires_grad=True); x.unbind(0)[0].grad_fn
x=torch.randn(4,3,requires_grad=True); [v for v in x][0].grad_fn
x=torch.randn(4,3,requires_grad=True); x.diagonal().grad_fn
x=torch.randn(4,3,requires_grad=True); x.as_strided((2,),(1,)).grad_fn
x=torch.randn(4,3,requires_grad=True); torch.cat([x,x]).grad_fn
x=torch.randn(4,3,requires_grad=True); torch.stack([x,x]).grad_fn
x=torch.randn(4,3,requires_grad=True); torch.hstack([x,x]).grad_fn
x=torch.randn(4,3,requires_grad=True); torch.vstack([x,x]).grad_fn
x=torch.randn(4,3,requires_grad=True); torch.dstack([x,x]).grad_fn
x=torch.randn(4,3,requires_grad=True); torch.column_stack([x,x]).grad_fn
x=torch.randn(4,3,requires_grad=True); torch.block_diag(x,x).grad_fn
x=torch.randn(4,3,requires_grad=True); torch.atleast_1d(x).grad_fn
x=torch.randn(4,3,requires_grad=True); torch.atleast_3d(x).grad_fn
x=torch.randn((),requires_grad=True); torch.atleast_1d(x).grad_fn
x=torch.randn((),requires_grad=True); torch.atleast_2d(x).grad_fn
x=torch.randn(4,3,requires_grad=True); x.repeat(2,1).grad_fn
x=torch.randn(4,3,requires_grad=True); x.tile(2).grad_fn
x=torch.randn(4,3,requires_grad=True); x.repeat_interleave(2).grad_fn
x=torch.randn(4,3,requires_grad=True); x.repeat_interleave(2,dim=0).grad_fn
x=torch.randn(4,3,requires_grad=True); x.flip(0).grad_fn
x=torch.randn(4,3,requires_grad=True); x.fliplr().grad_fn
x=torch.randn(4,3,requires_grad=True); x.rot90().grad_fn
x=torch.randn(4,3,requires_grad=True); x.rot90(2).grad_fn
x=torch.randn(4,3,requires_grad=True); x.rot90(4).grad_fn
x=torch.randn(4,3,requires_grad=True); x.roll(1).grad_fn
x=torch.randn(4,3,requires_grad=True); x.roll(1,0).grad_fn
x=torch.randn(4,3,requires_grad=True); x.tril().grad_fn
x=torch.randn(4,3,requires_grad=True); x.triu().grad_fn
x=torch.randn(4,requires_grad=True); x.diag().grad_fn
x=torch.randn(4,3,requires_grad=True); x.diag().grad_fn
x=torch.randn(4,3,requires_grad=True); x.diag_embed().grad_fn
x=torch.randn(4,3,requires_grad=True); x.diagflat().grad_fn
x=torch.randn(4,3,requires_grad=True); x.slice_scatter(torch.ones(1,3),0,0,1).grad_fn
x=torch.randn(4,3,requires_grad=True); x.select_scatter(torch.ones(3),0,0).grad_fn
x=torch.randn(4,3,requires_grad=True); x.diagonal_scatter(torch.ones(3)).grad_fn
x=torch.randn(4,3,requires_grad=True); x.as_strided_scatter(torch.ones(3),(3,),(1,)).grad_fn
x=torch.randn(4,3,requires_grad=True); x.contiguous().grad_fn
x=torch.randn(4,3,requires_grad=True); x.t().contiguous().grad_fn
x=torch.randn(4,3,requires_grad=True); x.clone().grad_fn
x=torch.randn(4,3,requires_grad=True); x.to(torch.float64).grad_fn
x=torch.randn(4,3,requires_grad=True); x.double().grad_fn
x=torch.randn(4,3,requires_grad=True); x.to(torch.float32).grad_fn
x=torch.randn(4,3,requires_grad=True); x.to(torch.float32,copy=True).grad_fn
x=torch.randn(4,3,requires_grad=True); x.type(torch.float64).grad_fn
x=torch.randn(4,3,requires_grad=True); x.view(torch.int32).grad_fn
x=torch.randn(4,3,requires_grad=True); x.view_as(torch.ones(12)).grad_fn
x=torch.randn(4,3,requires_grad=True); x.expand_as(x).grad_fn
x=torch.randn(4,2,requires_grad=True); torch.view_as_complex(x).grad_fn
x=torch.randn(4,2,requires_grad=True); torch.view_as_real(torch.view_as_complex(x)).grad_fn
x=torch.randn(4,2,requires_grad=True,dtype=torch.complex64); x.real.grad_fn
x=torch.randn(4,2,requires_grad=True,dtype=torch.complex64); x.imag.grad_fn
x=torch.randn(4,2,requires_grad=True,dtype=torch.complex64); torch.real(x).grad_fn
x=torch.randn(4,2,requires_grad=True,dtype=torch.complex64); x.conj().grad_fn
x=torch.randn(4,2,requires_grad=True,dtype=torch.complex64); x.H.grad_fn
x=torch.randn(4,2,requires_grad=True); x.real.grad_fn
x=torch.randn(4,2,requires_grad=True); x.squeeze(0).grad_fn
x=torch.randn(4,2,requires_grad=True); y=x*1; y[0]=1; y.grad_fn
x=torch.randn(4,2,requires_grad=True); y=x*1; y[[0]]=1; y.grad_fn
x=torch.randn(4,2,requires_grad=True); y=x*1; y[y>0]=1; y.grad_fn
x=torch.randn(4,2,requires_grad=True); y=x*1; y[...]=torch.ones(2); y.grad_fn
x=torch.randn(4,2,requires_grad=True); y=x*1; y[0,[1]]=1; y.grad_fn
x=torch.randn(4,2,requires_grad=True); y=x*1; y[0].fill_(1); y.grad_fn
x=torch.randn(4,2,requires_grad=True); y=x*1; y.zero_().grad_fn
x=torch.randn(4,2,requires_grad=True); y=x*1; y.copy_(x).grad_fn
x=torch.randn(4,2,requires_grad=True); x.index_select(0,torch.tensor([0])).grad_fn
x=torch.randn(4,2,requires_grad=True); x.index_add(0,torch.tensor([0]),x[:1]).grad_fn
x=torch.randn(4,2,requires_grad=True); x.index_copy(0,torch.tensor([0]),x[:1]).grad_fn
x=torch.randn(4,2,requires_grad=True); x.index_fill(0,torch.tensor([0]),1.).grad_fn
x=torch.randn(4,2,requires_grad=True); x.index_fill(0,torch.tensor([0]),x[0,0]).grad_fn
x=torch.randn(4,2,requires_grad=True); x.index_put((torch.tensor([0]),),x[:1]).grad_fn
x=torch.randn(4,2,requires_grad=True); x.index_reduce(0,torch.tensor([0]),x[:1],'mean').grad_fn
x=torch.randn(4,2,requires_grad=True); x.gather(0,torch.tensor([[0]])).grad_fn
x=torch.randn(4,2,requires_grad=True); x.scatter(0,torch.tensor([[0]]),1.).grad_fn
x=torch.randn(4,2,requires_grad=True); x.scatter(0,torch.tensor([[0]]),x).grad_fn
x=torch.randn(4,2,requires_grad=True); x.scatter_add(0,torch.tensor([[0]]),x).grad_fn
x=torch.randn(4,2,requires_grad=True); x.scatter_reduce(0,torch.tensor([[0]]),x,'sum').grad_fn
x=torch.randn(4,2,requires_grad=True); x.take(torch.tensor([0])).grad_fn
x=torch.randn(4,2,requires_grad=True); x.take_along_dim(torch.tensor([0])).grad_fn
x=torch.randn(4,2,requires_grad=True); x.take_along_dim(torch.tensor([[0]]),0).grad_fn
x=torch.randn(4,2,requires_grad=True); x.put(torch.tensor([0]),torch.tensor([1.])).grad_fn
x=torch.randn(4,2,requires_grad=True); x.masked_fill(x>0,1.).grad_fn
x=torch.randn(4,2,requires_grad=True); x.masked_fill(x>0,x[0,0]).grad_fn
x=torch.randn(4,2,requires_grad=True); x.masked_select(x>0).grad_fn
x=torch.randn(4,2,requires_grad=True); x.masked_scatter(x>0,x).grad_fn
x=torch.randn(4,2,requires_grad=True); torch.where(x>0,x,0.).grad_fn
x=torch.randn(4,2,requires_grad=True); y=x*1; y.tril_().grad_fn
x=torch.randn(4,2,requires_grad=True); x.detach().grad_fn
x=torch.randn(4,2,requires_grad=True); torch.complex(x,x).grad_fn
x=torch.randn(4,2,requires_grad=True); torch.polar(x,x).grad_fn
x=torch.randn(4,requires_grad=True); torch.vander(x).grad_fn
x=torch.randn(4,requires_grad=True); torch.meshgrid(x,x,indexing='ij')[0].grad_fn
x=torch.randn(4,requires_grad=True); torch.meshgrid(x,x,indexing='xy')[0].grad_fn
x=torch.randn(4,requires_grad=True); torch.cartesian_prod(x,x).grad_fn
x=torch.randn(4,requires_grad=True); torch.combinations(x).grad_fn
x=torch.randn(4,4,requires_grad=True); x.unfold(0,2,2).grad_fn
x=torch.randn(4,4,requires_grad=True); x.dsplit(2) if 0 else x.vsplit(2)[1].grad_fn
x=torch.randn(4,4,requires_grad=True); x.trace().grad_fn
x=torch.randn(4,4,requires_grad=True); x.unsafe_chunk(2)[0].grad_fn
x=torch.randn(4,4,requires_grad=True); x.unsafe_split(2)[0].grad_fn
x=torch.randn(4,requires_grad=True); torch.tensor_split(x,[1,2],0)[1].grad_fn
""".strip().splitlines()


@pytest.mark.parametrize("line", CASES)
def test_same(line, same):
    same(line)
