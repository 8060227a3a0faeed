"""Views, joins, splits, conversions, rearrangements: each line below gives the same text in kobai and in PyTorch."""
import pytest

CASES = """
torch.ones(2).to(torch.float64)
torch.ones(2).to('cpu')
torch.ones(2).to('cpu', torch.int64)
torch.ones(2).to(torch.device('cpu'), torch.int64, True, True)
torch.ones(2).to(torch.ones(2,dtype=torch.int8))
torch.ones(2).to(device='cpu', dtype=torch.float16)
torch.ones(2).to('cuda')
torch.ones(2).to(dtype=torch.bool)
torch.ones(2).to(torch.float64, True)
torch.ones(2).to(torch.float64, copy=True)
x=torch.ones(2); x.to(torch.float32) is x
x=torch.ones(2); x.to(torch.float32,copy=True) is x
x=torch.ones(2); x.to('cpu') is x
torch.ones(2).type()
torch.ones(2).type('torch.LongTensor')
torch.ones(2).type(torch.LongTensor)
torch.ones(2).type(torch.int8)
torch.ones(2).type('foo')
torch.ones(2).type_as(torch.ones(1,dtype=torch.int32))
torch.ones(2).float(), torch.ones(2).double(), torch.ones(2).half(), torch.ones(2).bfloat16(), torch.ones(2).int(), torch.ones(2).long(), torch.ones(2).short(), torch.ones(2).char(), torch.ones(2).byte(), torch.ones(2).bool(), torch.ones(2).cfloat(), torch.ones(2).cdouble()
torch.tensor([1.5,-1.5]).to(torch.uint8)
torch.tensor([300]).to(torch.uint8)
torch.tensor([1.5+2j]).to(torch.float32)
torch.tensor([1.5+2j]).to(torch.bool)
torch.tensor([2j]).to(torch.bool)
torch.randn(2,3,4,5).contiguous(memory_format=torch.channels_last).stride()
torch.randn(2,3,4,5).contiguous(memory_format=torch.channels_last).is_contiguous()
torch.randn(2,3,4,5).contiguous(memory_format=torch.channels_last).is_contiguous(memory_format=torch.channels_last)
torch.randn(2,3,4).contiguous(memory_format=torch.channels_last).stride()
torch.randn(2,3,4,5).to(memory_format=torch.channels_last).stride()
torch.channels_last
torch.ones(2).cuda()
torch.ones(2).numpy()
torch.ones(2).t().contiguous().is_contiguous()
torch.ones(2,3).view(torch.int32)
torch.ones(2,4).view(torch.float64).shape
torch.ones(2,3).view(torch.float64).shape
torch.ones(2,3).view(torch.int8).shape
torch.ones(()).view(torch.int8)
torch.ones(()).view(torch.int32)
torch.ones(2,3).t().view(6)
torch.ones(2,3).t().view(torch.float64)
torch.ones(2,3).view(-1, -1)
torch.ones(2,3).view(4, -1)
torch.ones(2,3).view(4)
torch.ones(0,3).view(-1, 0)
torch.ones(0,3).view(-1, 3).shape
torch.ones(0,3).reshape(-1).shape
torch.ones(0,3).flatten().shape
torch.ones(0,3).ravel().shape
torch.ones(2,3).view(-2, 3)
torch.ones(2,3).reshape(-2, 3)
torch.ones(2,3).reshape([3,2]).shape
torch.ones(2,3).reshape(torch.Size([3,2])).shape
torch.ones(2,3).reshape(torch.tensor(3), 2).shape
torch.reshape(torch.ones(2,3), (3,2)).shape
torch.ones(1).reshape(()).shape
torch.ones(1).view(()).shape
torch.ones(1).view([]).shape
torch.ones(2,3).flatten(1).shape
torch.ones(2,3,4).flatten(1,0).shape
torch.ones(2,3,4).flatten(5).shape
torch.ones(2,3,4).flatten(0,1).shape
torch.ones(()).flatten().shape
torch.ones(2,6).unflatten(1,(2,-1)).shape
torch.ones(2,6).unflatten(-1,(2,4)).shape
torch.ones(2,6).unflatten(1,(-1,4)).shape
torch.unflatten(torch.ones(2,6),1,(3,2)).shape
torch.ones(2,3).transpose(0,2)
torch.ones(2,3).transpose(-1,-2).shape
torch.ones(()).transpose(0,-1)
torch.ones(2,3,4).t()
torch.ones(2,3,4).permute(0,1)
torch.ones(2,3,4).permute(0,1,1)
torch.ones(2,3,4).permute(0,1,3)
torch.ones(2,3,4).permute((2,0,1)).shape
torch.ones(2,3,4).permute(dims=(2,0,1)).shape
torch.permute(torch.ones(2,3,4),(2,0,1)).shape
torch.ones(2,3,4).movedim(0,2).shape
torch.ones(2,3,4).movedim((0,1),(1,2)).shape
torch.ones(2,3,4).movedim((0,1),(1,)).shape
torch.ones(2,3,4).movedim((0,0),(1,2)).shape
torch.ones(2,3,4).mT.shape
torch.ones(2).mT
torch.ones(2,3,4).H
torch.ones(2,3,4).mH.shape
torch.ones(2,3,4).T.shape
torch.ones(2).T.shape
torch.ones(2).adjoint()
torch.ones(2,1).expand(2,3).shape
torch.ones(2,1).expand(-1,3).shape
torch.ones(2,1).expand(4,-1,3).shape
torch.ones(2,1).expand(-1,2,1).shape
torch.ones(2,1).expand(3,1)
torch.ones(2,1).expand(3)
torch.ones(2,1).expand((2,3)).shape
torch.ones(2,1).expand(torch.Size([2,3])).shape
torch.ones(2,1).expand_as(torch.ones(3,2,4)).shape
torch.ones(2,1).broadcast_to((2,3)).shape
torch.broadcast_to(torch.ones(2,1),(2,3)).shape
torch.broadcast_shapes((2,1),(3,),(1,1,1))
torch.broadcast_shapes(2, (1,))
[v.shape for v in torch.broadcast_tensors(torch.ones(2,1), torch.ones(3))]
torch.broadcast_tensors(torch.ones(2,2), torch.ones(3))
torch.ones(1,2,1).squeeze().shape
torch.ones(1,2,1).squeeze(0).shape
torch.ones(1,2,1).squeeze(1).shape
torch.ones(1,2,1).squeeze((0,2)).shape
torch.ones(1,2,1).squeeze((0,0)).shape
torch.ones(1,2,1).squeeze(5).shape
torch.ones(()).squeeze(0).shape
torch.ones(2).unsqueeze(2)
torch.ones(2).unsqueeze(-1).shape
torch.ones(()).unsqueeze(0).shape
torch.ones(2,3).sum_to_size(1,3)
torch.ones(2,3).sum_to_size(2,2)
torch.ones(2,3).view_as(torch.ones(3,2)).shape
torch.ones(2,3).reshape_as(torch.ones(3,2)).shape
torch.ones(2,3).select(0,2)
torch.ones(2,3).select(2,2)
torch.ones(()).select(0,0)
torch.ones(2,3).select(-1,-1)
torch.ones(2,3).narrow(0,1,1)
torch.ones(2,3).narrow(0,1,2)
torch.ones(2,3).narrow(0,3,1)
torch.ones(2,3).narrow(0,-1,1)
torch.ones(2,3).narrow(0,0,-1)
torch.ones(2,3).narrow(0,torch.tensor(1),1)
torch.arange(5).split(2)
torch.arange(5).split([2,3])
torch.arange(5).split([2,2])
torch.arange(5).split([2,-1,4])
torch.arange(5).split(0)
torch.arange(5).split(-1)
torch.arange(0).split(0)
torch.arange(0).split(2)
torch.tensor(1).split(2)
torch.arange(5).chunk(2)
torch.arange(5).chunk(4)
torch.arange(5).chunk(0)
torch.arange(0).chunk(3)
torch.arange(5).tensor_split(3)
torch.arange(5).tensor_split((1,3))
torch.arange(5).tensor_split((3,1))
torch.arange(5).tensor_split(torch.tensor([1,3]))
torch.arange(5).tensor_split(0)
torch.arange(6).hsplit(3)
torch.arange(6).hsplit(4)
torch.arange(6).reshape(2,3).vsplit(2)
torch.arange(6).vsplit(2)
torch.arange(8).reshape(2,2,2).dsplit(2)
torch.arange(4).unbind()
torch.tensor(1).unbind()
torch.arange(4).reshape(2,2).unbind(1)
torch.cat([torch.ones(2), torch.ones(2,2)])
torch.cat([torch.ones(2,3), torch.ones(2,2)])
torch.cat([torch.ones(2,3), torch.ones(2,2)],1).shape
torch.cat([torch.ones(2,3), torch.ones(0)],1).shape
torch.cat([])
torch.cat(torch.ones(2))
torch.cat([torch.ones(2), torch.arange(2)])
torch.cat([torch.tensor(1.), torch.tensor(1.)])
torch.cat([torch.ones(2)], dim=1)
torch.cat([1,2])
torch.cat((torch.ones(2,1), torch.zeros(2,1)), axis=1)
torch.cat([torch.ones(1), torch.ones(1)], out=torch.empty(2))
torch.cat([torch.ones(2, dtype=torch.int8), torch.ones(2, dtype=torch.float16)])
torch.stack([torch.ones(2), torch.ones(3)])
torch.stack([])
torch.stack([torch.ones(2), torch.zeros(2)], -1)
torch.stack([torch.ones(2), torch.zeros(2)], 2)
torch.stack([torch.ones(2), torch.arange(2)])
torch.hstack([torch.ones(2), torch.zeros(2)])
torch.hstack([torch.tensor(1.), torch.tensor(2.)])
torch.vstack([torch.ones(2), torch.zeros(2)])
torch.vstack([torch.ones(2), torch.zeros(2,2)])
torch.dstack([torch.ones(2), torch.zeros(2)])
torch.column_stack([torch.ones(2), torch.zeros(2,2)])
torch.row_stack([torch.ones(2), torch.zeros(2)])
torch.block_diag(torch.ones(2), torch.tensor(2.), torch.ones(2,1))
torch.block_diag(torch.ones(2,2,2))
torch.block_diag()
torch.atleast_1d(torch.tensor(1.))
torch.atleast_2d(torch.tensor(1.), torch.ones(2))
torch.atleast_3d([torch.tensor(1.), torch.ones(2)])
torch.hann_window(5)
torch.hann_window(5, periodic=False)
torch.hann_window(1)
torch.hann_window(0)
torch.hamming_window(4)
torch.hamming_window(4, True, 0.5, 0.4)
torch.blackman_window(6)
torch.bartlett_window(6)
torch.kaiser_window(6)
torch.kaiser_window(6, False, 8.0)
torch.hann_window(4, dtype=torch.float64)
torch.hann_window(-1)
torch.unravel_index(torch.tensor([3,5]), (2,3))
torch.unravel_index(torch.tensor([6]), (2,3))
torch.unravel_index(torch.tensor(3), 4)
torch.newaxis, torch.pi, torch.e, torch.inf, torch.nan
torch.ones(2,3).index_select(0,torch.tensor([],dtype=torch.int64)).shape
torch.ones(2,3).size(), torch.ones(2,3).size(0), torch.ones(2,3).size(-1)
torch.ones(2,3).size(2)
torch.ones(()).size(0)
torch.ones(()).size()
x=torch.arange(6.); x.unfold(0,3,2)
x=torch.arange(6.); x.unfold(0,7,2)
x=torch.arange(6.); x.unfold(0,2,0)
x=torch.arange(6.); x.unfold(0,2,1).zero_(); x
torch.tensor(1.).unfold(0,1,1)
torch.tensor(1.).unfold(0,2,1)
torch.arange(3).flip(0)
torch.arange(3).flip([0])
torch.arange(3).flip(dims=(0,))
torch.arange(6).reshape(2,3).flip(0,1)
torch.arange(6).reshape(2,3).flip(0,0)
torch.arange(6).reshape(2,3).flip(2)
torch.flip(torch.arange(3), dims=[0])
torch.arange(6).reshape(2,3).fliplr(), torch.arange(6).reshape(2,3).flipud()
torch.arange(6).fliplr()
torch.arange(6).reshape(2,3).rot90()
torch.arange(6).reshape(2,3).rot90(-1,(1,0))
torch.arange(6).rot90()
torch.arange(6).reshape(2,3).rot90(1,(0,0))
torch.arange(6).reshape(2,3).rot90(1,[0,3])
torch.arange(6).reshape(2,3).roll(1)
torch.arange(6).reshape(2,3).roll((1,1),(0,1))
torch.arange(6).reshape(2,3).roll((1,1),0)
torch.arange(6).reshape(2,3).roll(shifts=1,dims=1)
torch.arange(3).repeat(2)
torch.arange(3).repeat(2,2)
torch.arange(3).repeat((2,2)).shape
torch.arange(6).reshape(2,3).repeat(2)
torch.arange(6).reshape(2,3).tile(2)
torch.arange(6).reshape(2,3).tile((2,1,1)).shape
torch.tile(torch.arange(3), (2,2))
torch.arange(3).repeat_interleave(2)
torch.arange(6).reshape(2,3).repeat_interleave(2, 0)
torch.arange(6).reshape(2,3).repeat_interleave(torch.tensor([1,2]), 0)
torch.arange(6).reshape(2,3).repeat_interleave(torch.tensor([1,2]), dim=1)
torch.repeat_interleave(torch.tensor([1,0,2]))
torch.arange(6).reshape(2,3).repeat_interleave(torch.tensor([2]))
torch.arange(6).reshape(2,3).repeat_interleave(-1)
torch.arange(6).reshape(2,3).repeat_interleave(torch.tensor([1.,2.]), 0)
torch.arange(9).reshape(3,3).tril(), torch.arange(9).reshape(3,3).triu(1)
torch.arange(3).tril()
torch.ones(2,3).tril_(-1)
torch.ones(3).diag(), torch.ones(3).diag(1), torch.arange(9).reshape(3,3).diag(-1)
torch.ones(2,2,2).diag()
torch.arange(4).reshape(2,2).diagflat(1)
torch.arange(4).reshape(2,2).diag_embed().shape
torch.arange(4).reshape(2,2).diag_embed(1, 0, 2)
torch.arange(4).reshape(2,2).diag_embed(0,1,1)
torch.arange(12).reshape(3,4).diagonal(1)
torch.arange(24).reshape(2,3,4).diagonal(0,1,2)
torch.arange(24).reshape(2,3,4).diagonal(0,1,1)
torch.arange(24).reshape(2,3,4).diagonal(9)
x=torch.zeros(3,3); x.diagonal().fill_(2.); x
torch.arange(9).reshape(3,3).trace()
torch.ones(2).trace()
torch.zeros(3,3).slice_scatter(torch.ones(1,3),0,1,2)
torch.zeros(3,3).slice_scatter(torch.ones(2,3),0,1,2)
torch.zeros(3,3).select_scatter(torch.ones(3),0,1)
torch.zeros(3,3).diagonal_scatter(torch.ones(2),1)
torch.complex(torch.ones(2), torch.ones(2))
torch.complex(torch.ones(2), torch.ones(2).double())
torch.complex(torch.arange(2), torch.arange(2))
torch.polar(torch.ones(2), torch.ones(2))
torch.view_as_real(torch.tensor([1+2j]))
torch.view_as_complex(torch.tensor([[1.,2]]))
torch.view_as_complex(torch.tensor([1.,2,3]))
torch.view_as_complex(torch.tensor([1,2]))
torch.view_as_real(torch.tensor([1.]))
x=torch.tensor([1+2j,3-1j]); x.real, x.imag
x=torch.tensor([1+2j,3-1j]); x.real=0; x
x=torch.tensor([1+2j,3-1j]); x.imag=torch.tensor([1.,2.]); x
x=torch.tensor([1+2j,3-1j]); x.real.zero_(); x
torch.tensor([1.]).imag
torch.tensor([1.]).real
torch.tensor([1+2j]).conj()
torch.tensor([1+2j]).conj().resolve_conj()
torch.real(torch.tensor([1+2j]))
torch.vander(torch.tensor([1,2,3]))
torch.vander(torch.tensor([1.,2,3]), N=2, increasing=True)
torch.vander(torch.tensor([1.,2,3]), N=0)
torch.meshgrid(torch.arange(2), torch.arange(3))
torch.meshgrid(torch.arange(2), torch.arange(3), indexing='xy')
torch.meshgrid([torch.arange(2), torch.tensor(3)], indexing='ij')
torch.meshgrid(torch.arange(2), torch.arange(3.))
torch.cartesian_prod(torch.arange(2), torch.arange(3))
torch.combinations(torch.arange(4), 3)
torch.combinations(torch.arange(3), r=2, with_replacement=True)
torch.combinations(torch.arange(3), r=0)
torch.combinations(torch.arange(2), r=3)
torch.linspace(0,10,5,dtype=torch.int64), torch.linspace(-5,7,10,dtype=torch.int64), torch.linspace(3,-9,7,dtype=torch.int32)
torch.arange(-1,1,0.3), torch.arange(5,0,-2), torch.arange(0.5,3)
torch.ones(2,2).T.is_contiguous(), torch.ones(2,2).is_contiguous()
torch.ones(()).transpose(0,-1), torch.ones(()).permute(()), torch.ones(()).t(), torch.ones(()).T
torch.ones(2,3).permute(dims=(1,0)).shape
torch.ones(3).swapaxes(0,0).shape
torch.ones(2).index_fill(0, torch.tensor([0]), 3)
torch.ones(3).sum_to_size(1)
torch.ones(3).sum_to_size((1,))
""".strip().splitlines()


@pytest.mark.parametrize("line", CASES)
def test_same(line, same):
    same(line)
