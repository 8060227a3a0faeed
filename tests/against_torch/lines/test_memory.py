"""Strides, storages, old constructors, copies: each line below gives the same text in kobai and in PyTorch."""
import pytest

CASES = """
torch.empty_permuted((2,3),(1,0)).stride()
torch.typename(torch.ones(1))
torch.typename(3)
torch.Tensor([[1,2],[3]])
torch.Tensor(2.5)
torch.Tensor('a')
torch.Tensor(True)
torch.Tensor([True, False])
torch.Tensor(torch.ones(2, requires_grad=True)).requires_grad
x=torch.ones(2); y=torch.Tensor(x); y[0]=5; x
x=torch.ones(2); y=torch.FloatTensor(x); y[0]=5; x
torch.FloatTensor(2,3).shape
torch.FloatTensor([1,2])
torch.LongTensor([1,2])
torch.LongTensor(2).shape
torch.LongTensor([1.5])
torch.IntTensor(np.array([1,2]))
torch.LongTensor([1]).type()
torch.DoubleTensor([1]).dtype
torch.ByteTensor([1]), torch.CharTensor([1]), torch.ShortTensor([1]), torch.HalfTensor([1]), torch.BoolTensor([1]), torch.BFloat16Tensor([1])
isinstance(torch.tensor([1]), torch.LongTensor)
isinstance(torch.tensor([1.]), torch.LongTensor)
isinstance(torch.tensor([1.]), torch.FloatTensor)
isinstance(torch.tensor([1.]), torch.Tensor)
isinstance(1, torch.FloatTensor)
torch.ones(2).type(torch.LongTensor)
torch.arange(3).new([1.5])
torch.arange(3).new(2).shape
torch.arange(3).new(2,2).dtype
torch.arange(3).new().shape
torch.arange(3).new(torch.Size([2])).shape
torch.arange(3).new(torch.arange(2))
torch.arange(3.).apply_(lambda v: v*2)
torch.arange(3.).map_(torch.ones(3), lambda a,b: a+b)
torch.set_default_tensor_type(torch.DoubleTensor); torch.ones(1).dtype
torch.set_default_tensor_type('torch.FloatTensor'); torch.ones(1).dtype
torch.set_default_dtype(torch.float64); r=(torch.tensor(1.).dtype, torch.ones(1).dtype, torch.arange(3.).dtype, torch.tensor(1j).dtype, torch.full((1,),1.).dtype,(torch.arange(3)/2).dtype); torch.set_default_dtype(torch.float32); r
torch.ones(2).is_inference()
x=torch.ones(2,requires_grad=True)*2; x.detach_(); x.requires_grad
x=torch.ones(2,requires_grad=True); x.detach_().requires_grad
torch.arange(6.).reshape(2,3).stride(), torch.arange(6.).reshape(2,3).t().stride(), torch.arange(6.).reshape(2,3)[:,1:].storage_offset()
torch.arange(6.).reshape(2,3).stride(0)
torch.arange(6.).reshape(2,3).stride(2)
torch.ones(2,3).dim(), torch.ones(2,3).ndimension(), torch.ones(2,3).nelement(), torch.ones(2,3).numel(), torch.ones(2,3).element_size(), torch.ones(2,3).nbytes, torch.ones(2,3).itemsize
x=torch.arange(6.); x.untyped_storage().nbytes(), x[2:].untyped_storage().nbytes(), x[2:].storage_offset()
x=torch.arange(3.); x.storage().tolist()
x=torch.arange(3.); x.resize_(2,2).shape
x=torch.arange(6.); x.resize_(2,2)
x=torch.arange(3.); y=torch.ones(2); x.set_(y); x
x=torch.arange(3.); x.data_ptr()==x[0:].data_ptr()
x=torch.arange(6.).reshape(2,3); x.as_strided((2,2),(1,2))
x=torch.arange(6.).reshape(2,3); x.as_strided((2,2),(1,2),1)
x=torch.arange(6.).reshape(2,3); x.as_strided((3,3),(1,2),1)
x=torch.arange(6.).reshape(2,3); x.as_strided((2,2),(1,2)).zero_(); x
x=torch.arange(6.).reshape(2,3); x.as_strided((2,),(-1,))
x=torch.arange(6.).reshape(2,3); x.as_strided((2,),(1,1))
x=torch.arange(6.).reshape(2,3); x[1].as_strided((2,),(1,))
x=torch.arange(6.).reshape(2,3); torch.as_strided_scatter(x, torch.ones(2), (2,),(2,))
np.from_dlpack(torch.arange(3))
torch.from_dlpack(np.arange(3))
torch.utils.dlpack.from_dlpack(torch.arange(3))
torch.from_dlpack(torch.arange(3).__dlpack__())
torch.ones(2,requires_grad=True).__dlpack__()
copy.copy(torch.ones(2)), copy.deepcopy(torch.ones(2))
copy.deepcopy(torch.ones(2,requires_grad=True))
pickle.loads(pickle.dumps(torch.ones(2,requires_grad=True)))
pickle.loads(pickle.dumps(torch.arange(6.).reshape(2,3).t())).stride()
copy.deepcopy(torch.arange(6.).reshape(2,3).t()).stride()
torch.asarray(bytearray(b'abcd'), dtype=torch.uint8)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.uint8)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int16, offset=2)
torch.ones(3)[None].expand(2,3).contiguous().stride()
torch.numel(torch.ones(2)), torch.is_tensor(3), torch.is_storage(3)
""".strip().splitlines()


@pytest.mark.parametrize("line", CASES)
def test_same(line, same):
    same(line)
