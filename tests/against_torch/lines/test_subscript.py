"""x[...] and x[...] = v: each line below gives the same text in kobai and in PyTorch."""
import pytest

CASES = """
x=torch.arange(24).reshape(2,3,4); x[torch.ones(2,3,dtype=torch.bool), 1:2].shape
x=torch.arange(24).reshape(2,3,4); x[torch.ones(2,3,dtype=torch.bool), 1].shape
x=torch.arange(24).reshape(2,3,4); x[torch.ones(2,3,dtype=torch.bool), [1]].shape
x=torch.arange(27).reshape(3,3,3); x[torch.ones(3,3,dtype=torch.bool), 1:2].shape
x=torch.arange(24).reshape(2,3,4); x[[[0,1],[1,0]]].shape
x=torch.arange(24).reshape(2,3,4); x[[0,slice(1,2)]].shape
x=torch.arange(24).reshape(2,3,4); x[[0,None]].shape
x=torch.arange(24).reshape(2,3,4); x[[torch.tensor(0),torch.tensor(1)]].shape
x=torch.arange(24).reshape(2,3,4); x[[torch.tensor([0]),torch.tensor([1])]].shape
x=torch.arange(24).reshape(2,3,4); x[[True,False]].shape
x=torch.arange(24).reshape(2,3,4); x[True].shape
x=torch.arange(24).reshape(2,3,4); x[False].shape
x=torch.arange(24).reshape(2,3,4); x[True, 0].shape
x=torch.arange(24).reshape(2,3,4); x[0, True].shape
x=torch.arange(24).reshape(2,3,4); x[torch.tensor(True)].shape
x=torch.arange(24).reshape(2,3,4); x[torch.tensor(1)].shape
x=torch.arange(24).reshape(2,3,4); x[torch.tensor(1.)].shape
x=torch.arange(24).reshape(2,3,4); x[torch.tensor([1.])].shape
x=torch.arange(24).reshape(2,3,4); x[1.5]
x=torch.arange(24).reshape(2,3,4); x[0,1.5]
x=torch.arange(24).reshape(2,3,4); x['a']
x=torch.arange(24).reshape(2,3,4); x[{}]
x=torch.arange(24).reshape(2,3,4); x[[1.5]]
x=torch.arange(24).reshape(2,3,4); x[[]].shape
x=torch.arange(24).reshape(2,3,4); x[()].shape
x=torch.arange(24).reshape(2,3,4); x[5]
x=torch.arange(24).reshape(2,3,4); x[-3]
x=torch.arange(24).reshape(2,3,4); x[0,5]
x=torch.arange(24).reshape(2,3,4); x[0,0,0,0]
x=torch.arange(24).reshape(2,3,4); x[0,0,0,None].shape
x=torch.arange(24).reshape(2,3,4); x[0,0,0,...].shape
x=torch.arange(24).reshape(2,3,4); x[...,0,...].shape
x=torch.arange(24).reshape(2,3,4); x[...,...].shape
x=torch.arange(24).reshape(2,3,4); x[::-1]
x=torch.arange(24).reshape(2,3,4); x[::0]
x=torch.arange(24).reshape(2,3,4); x[5:].shape
x=torch.arange(24).reshape(2,3,4); x[2:1].shape
x=torch.arange(24).reshape(2,3,4); x[:, -2:].shape
x=torch.arange(24).reshape(2,3,4); x[torch.tensor(0):torch.tensor(1)].shape
x=torch.arange(24).reshape(2,3,4); x[1.0:2]
x=torch.arange(24).reshape(2,3,4); x[torch.tensor([5])]
x=torch.arange(24).reshape(2,3,4); x[torch.tensor([-3])]
x=torch.arange(24).reshape(2,3,4); x[torch.tensor([0,1]), torch.tensor([0,1,2])]
x=torch.arange(24).reshape(2,3,4); x[torch.tensor([0,1]), :, torch.tensor([0,1])].shape
x=torch.arange(24).reshape(2,3,4); x[0, :, torch.tensor([0,1])].shape
x=torch.arange(24).reshape(2,3,4); x[:, [0,1], [[1],[0]]].shape
x=torch.arange(24).reshape(2,3,4); x[[0,1], None].shape
x=torch.arange(24).reshape(2,3,4); x[[0,1], None, [0,1]].shape
x=torch.arange(24).reshape(2,3,4); x[None, [0,1], [0,1]].shape
x=torch.arange(24).reshape(2,3,4); x[..., [0,1]].shape
x=torch.arange(24).reshape(2,3,4); x[torch.ones(3, dtype=torch.bool)]
x=torch.arange(24).reshape(2,3,4); x[torch.ones(2,2, dtype=torch.bool)]
x=torch.arange(24).reshape(2,3,4); x[:, torch.ones(2, dtype=torch.bool)]
x=torch.arange(24).reshape(2,3,4); x[x>5].shape
x=torch.arange(24).reshape(2,3,4); x[torch.ones(2,3,4,1, dtype=torch.bool)]
x=torch.arange(24).reshape(2,3,4); x[torch.zeros(2, dtype=torch.uint8)].shape
x=torch.arange(24).reshape(2,3,4); x[torch.zeros(2, dtype=torch.int32)].shape
x=torch.arange(24).reshape(2,3,4); x[torch.zeros(2, dtype=torch.int16)].shape
x=torch.arange(24).reshape(2,3,4); x[torch.zeros(2, dtype=torch.int8)].shape
x=torch.arange(24).reshape(2,3,4); x[np.array([0,1])].shape
x=torch.arange(24).reshape(2,3,4); x[np.array([True,False])].shape
x=torch.arange(24).reshape(2,3,4); x[np.int64(1)].shape
x=torch.arange(24).reshape(2,3,4); x[np.bool_(True)].shape
x=torch.arange(24).reshape(2,3,4); x[np.array(1)].shape
x=torch.arange(24).reshape(2,3,4); x[range(2)].shape
x=torch.arange(24).reshape(2,3,4); x[(0,1)].shape
x=torch.arange(24).reshape(2,3,4); x[((0,1),)].shape
x=torch.arange(24).reshape(2,3,4); x[(0,1),].shape
x=torch.arange(24).reshape(2,3,4); x[(0,1),(0,1)].shape
x=torch.tensor(3.); x[0]
x=torch.tensor(3.); x[...]
x=torch.tensor(3.); x[None].shape
x=torch.tensor(3.); x[()]
x=torch.tensor(3.); x[True].shape
x=torch.tensor(3.); x[:]
x=torch.tensor(3.); x[torch.tensor([0])]
x=torch.tensor([1,2,3]); x[0,0]
x=torch.tensor([1,2,3]); x[0,0,0]
x=torch.tensor([1,2,3]); x[[0],[0]]
x=torch.tensor([1,2,3]); x[...,0]
x=torch.tensor([1,2,3]); x[5]
x=torch.tensor([1,2,3]); x[3:5]
x=torch.arange(24).reshape(2,3,4); x[[[0,1]],].shape
x=torch.arange(24).reshape(2,3,4); x[torch.tensor([[0,1],[1,0]]), 0].shape
x=torch.arange(24).reshape(2,3,4); x[0][1][2]
x=torch.zeros(0,3); x[[]].shape
x=torch.zeros(0,3); x[0]
x=torch.zeros(0,3); x[torch.tensor([],dtype=torch.int64)].shape
x=torch.arange(24).reshape(2,3,4); x[torch.tensor([True,False]), torch.tensor([0,1])].shape
x=torch.arange(24).reshape(2,3,4); x[torch.tensor([True,True]), torch.tensor([0,1,2])].shape
x=torch.arange(24).reshape(2,3,4); x[torch.tensor([True,True]), :, torch.tensor([0,1])].shape
x=torch.zeros(3); x[0]=1; x
x=torch.zeros(3); x[0]=torch.tensor(2.); x
x=torch.zeros(3); x[0]=torch.tensor([2.]); x
x=torch.zeros(3); x[0]=torch.tensor([2.,3]); x
x=torch.zeros(3); x[1:]=torch.tensor([2.,3]); x
x=torch.zeros(3); x[1:]=torch.tensor([2.,3,4]); x
x=torch.zeros(3); x[[0,1]]=torch.tensor([2.,3,4]); x
x=torch.zeros(3); x[[0,1]]=torch.tensor([2.,3]); x
x=torch.zeros(3); x[[0,1]]=5; x
x=torch.zeros(3); x[[0,1]]=torch.tensor([5]); x
x=torch.zeros(3); x[x==0]=7; x
x=torch.zeros(3); x[torch.tensor([True,False,True])]=torch.tensor([1.,2.]); x
x=torch.zeros(3); x[torch.tensor([True,False,True])]=torch.tensor([1.,2.,3.]); x
x=torch.zeros(3); x[torch.tensor([True,False,True])]=torch.tensor(9.); x
x=torch.zeros(3); x[0]=[1.]; x
x=torch.zeros(3); x[:]=[1.,2.,3.]; x
x=torch.zeros(3); x[:]=np.array([1.,2.,3.]); x
x=torch.zeros(3); x[0]=np.float64(2); x
x=torch.zeros(3); x[0]='a'; x
x=torch.zeros(3); x[0]=None; x
x=torch.zeros(3); x[0]=1j; x
x=torch.zeros(3,dtype=torch.int64); x[0]=1.5; x
x=torch.zeros(3,dtype=torch.int64); x[0]=torch.tensor(1.5); x
x=torch.zeros(3,dtype=torch.int64); x[[0]]=torch.tensor([1.5]); x
x=torch.zeros(3,dtype=torch.bool); x[0]=2; x
x=torch.zeros(3,dtype=torch.uint8); x[0]=300; x
x=torch.zeros(2,3); x[:,0]=torch.tensor([1.,2.]); x
x=torch.zeros(2,3); x[0]=torch.ones(1,3); x
x=torch.zeros(2,3); x[0]=torch.ones(1,1,3); x
x=torch.zeros(2,3); x[...]=torch.ones(3); x
x=torch.zeros(2,3); x[None]=torch.ones(3); x
x=torch.zeros(2,3); x[True]=torch.ones(3); x
x=torch.zeros(2,3); x[False]=torch.ones(3); x
x=torch.zeros(2,3); x[0,[1,2]]=torch.tensor([1.,2.]); x
x=torch.zeros(2,3); x[[0,1],[1,2]]=torch.tensor([1.,2.]); x
x=torch.zeros(2,3); x[[0,0],[1,1]]=torch.tensor([1.,2.]); x
x=torch.zeros(2,3); x[[0,5]]=1; x
x=torch.zeros(2,3); x[5]=1; x
x=torch.zeros(2,3); x[[True,False]]=torch.tensor([1.,2.,3.]); x
x=torch.zeros(2,3); x[x>=0] += 1; x
x=torch.zeros(2,3); x[0] += 1; x
x=torch.zeros(2,3); x[0][1] = 4; x
x=torch.zeros(2,3); x[:, [0,2]] = torch.ones(2,2); x
x=torch.zeros(2,3,requires_grad=True); x[0]=1; x
x=torch.zeros(2,3); y=torch.ones(3,requires_grad=True); x[0]=y; x.requires_grad
x=torch.zeros(()); x[...]=4; x
x=torch.zeros(()); x[()]=4; x
x=torch.zeros(()); x[0]=4; x
x=torch.zeros(()); x[True]=4; x
x=torch.zeros(3); x[[]]=4; x
x=torch.zeros(3); x[3:]=4; x
x=torch.zeros(3); x[::-1]=4; x
del torch.zeros(3)[0]; 1
x=torch.randn(4,2,requires_grad=True); y=x*1; y[0]=1; y.sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); y=x*1; y[0]=1; y.grad_fn.next_functions[0][0]
x=torch.randn(4,2,requires_grad=True); y=x*1; y[[0,2]]=1; (y**2).sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); y=x*1; y[[0,2]]=1; y.grad_fn
x=torch.randn(4,2,requires_grad=True); y=x*1; y[y>0]=1; (y**2).sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); y=x*1; y[...]=torch.ones(2); y.grad_fn
x=torch.randn(4,2,requires_grad=True); y=x*1; y[0,[1]]=1; y.sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); y=torch.zeros(4,2); y[1:3]=x[1:3]; (y**2).sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); y=torch.zeros(4,2); y[1:3]=x[1:3]; y.grad_fn
x=torch.randn(4,2,requires_grad=True); y=torch.zeros(4,2); y[[1,3]]=x[1:3]; (y**2).sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); y=torch.zeros(4,2); y.copy_(x[0]); y.sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); y=torch.zeros(4,2,dtype=torch.float64); y.copy_(x); y.sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); (x[[0,0,1]]*torch.arange(3.)[:,None]).sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); (x[x>0]**2).sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); (x[:,[1,1,0]]**2).sum().backward(); x.grad
x=torch.randn(4,2,3,requires_grad=True); (x[[0,1],:,[2,2]]**2).sum().backward(); x.grad
x=torch.randn(4,2,3,requires_grad=True); (x[0,:,[2,2]]**2).sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); y=x*1; y.fill_(3.); y.sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); y=x*1; y.zero_(); y.sum().backward(); x.grad
x=torch.randn(4,2,requires_grad=True); y=x*1; y.fill_(x[0,0]); y.sum().backward(); x.grad
x=torch.randn(3,3,requires_grad=True); y=x*1; y.fill_diagonal_(5.); y.sum().backward(); x.grad
x=torch.zeros(7,3); x.fill_diagonal_(5., wrap=True)
x=torch.zeros(7,3); x.fill_diagonal_(5.)
x=torch.zeros(3,7); x.fill_diagonal_(5., wrap=True)
x=torch.zeros(2,2,2); x.fill_diagonal_(5.)
x=torch.zeros(2,2,3); x.fill_diagonal_(5.)
x=torch.zeros(2); x.fill_diagonal_(5.)
x=torch.zeros(2); x.copy_(torch.ones(3))
x=torch.zeros(2); x.copy_(torch.ones(2,1))
x=torch.zeros(2); x.copy_(3)
x=torch.zeros(2); x.fill_(torch.ones(2))
x=torch.zeros(2); x.fill_(1j)
x=torch.zeros(2,dtype=torch.int8); x.fill_(300)
x=torch.zeros(1).expand(3); x[0]=1
x=torch.randn(4,3,requires_grad=True); a,b=x.unbind(0)[:2]; (a*b).sum().backward(); x.grad
x=torch.randn(5,requires_grad=True); a,b=x.split([2,3]); (a.sum()*b.sum()).backward(); x.grad
x=torch.arange(6.).reshape(2,3); y=x.t(); y[0]=9; x
x=torch.arange(6.).reshape(2,3); v=x.view(-1); v[0]=9; x
x=torch.arange(6.).reshape(2,3); a,b=x.unbind(0); a.zero_(); x
x=torch.arange(6.); x[0].add_(5); x
x=torch.arange(6.); y=x[2]; y+=10; x
x=torch.randn(4,2,requires_grad=True); y=x*1; a=y.unbind(0)[0]; y.mul_(2); y.sum().backward(); x.grad
x=torch.arange(6.).index_put((torch.tensor([0,0]),), torch.tensor([1.,2.]), accumulate=True)
x=torch.arange(6.).index_put((torch.tensor([0,0]),), torch.tensor([1.,2.])); x
x=torch.zeros(2,3).index_put((torch.tensor([0,1]), torch.tensor([0,2])), torch.tensor(5.)); x
x=torch.zeros(2,3).index_put((torch.tensor([0,1]), torch.tensor([0,2])), 5.); x
""".strip().splitlines()


@pytest.mark.parametrize("line", CASES)
def test_same(line, same):
    same(line)
