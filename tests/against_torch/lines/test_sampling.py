"""Random tensors, in-place fills and generators: each line below gives the same text in kobai and in PyTorch."""
import pytest

CASES = """
torch.Generator().get_state().dtype, torch.Generator().get_state().shape
g=torch.Generator(); g.set_state(torch.Generator().manual_seed(3).get_state()); torch.rand(2,generator=g)
s=torch.get_rng_state(); a=torch.rand(2); torch.set_rng_state(s); (torch.rand(2)==a).all()
s=torch.random.get_rng_state(); a=torch.rand(2); torch.random.set_rng_state(s); (torch.rand(2)==a).all()
torch.random.get_rng_state().shape
torch.random.initial_seed()
torch.initial_seed()
torch.random.manual_seed(3); torch.rand(2)
torch.default_generator.manual_seed(3); torch.rand(2)
torch.manual_seed(2**40).initial_seed()
torch.manual_seed('a')
torch.Generator(device='cpu').device
torch.random.fork_rng
with_=torch.random.fork_rng(); with_.__enter__(); torch.rand(2); with_.__exit__(None,None,None); torch.rand(2)
torch.rand(2,3,generator=None).shape
torch.randn(2,3,dtype=torch.float64,requires_grad=True).requires_grad
torch.rand(2,device='cpu').device
torch.randint(0,2,(3,),dtype=torch.bool)
torch.randint(-5,5,(4,))
torch.randint(0,5,[2,2]).shape
torch.randint(5,(2,),dtype=torch.uint8)
torch.randint(low=3,high=10,size=(3,))
torch.randint_like(torch.zeros(2,2),3,7)
torch.rand_like(torch.zeros(2,2),dtype=torch.float64)
torch.randn_like(torch.zeros(20)).sum()
torch.normal(torch.arange(1.,5.), torch.arange(1., 0, -0.25))
torch.normal(0.5, torch.arange(1., 4.))
torch.normal(torch.arange(1., 4.))
torch.normal(2, 3, size=(1, 4))
torch.bernoulli(torch.full((3,3),0.5))
torch.bernoulli(torch.empty(3,3), p=0.3)
torch.ones(3).bernoulli_(0.5)
torch.multinomial(torch.tensor([0., 10, 3, 0]), 2)
torch.multinomial(torch.tensor([[0., 10, 3, 0],[1,1,1,1]]), 4, replacement=True)
torch.poisson(torch.rand(4)*5)
torch.binomial(torch.full((3,),10.), torch.full((3,),0.5))
torch.zeros(5).exponential_(2.)
torch.zeros(5).geometric_(0.3)
torch.zeros(5).cauchy_()
torch.zeros(5).log_normal_()
torch.zeros(5).random_()
torch.zeros(5,dtype=torch.int64).random_(10)
torch.zeros(5).random_(3,9)
torch.zeros(5).uniform_(-1,1)
torch.zeros(5).normal_(1,2)
torch.zeros(3,4).t().normal_()
torch.zeros(20,4).t().normal_()[0]
torch.randperm(10)
torch.randperm(5,dtype=torch.int32)
torch.empty(3).uniform_(generator=torch.Generator().manual_seed(1))
torch.nn.init.normal_(torch.empty(3))
torch.rand(())
torch.randn([])
torch.rand(3, out=torch.empty(3))
torch.rand((2,), dtype=torch.complex64)
torch.randn(2, dtype=torch.bfloat16)
torch.rand(2, dtype=torch.float16)
torch.dropout(torch.ones(6), 0.5, True) if 0 else 1
""".strip().splitlines()


@pytest.mark.parametrize("line", CASES)
def test_same(line, same):
    same(line)
