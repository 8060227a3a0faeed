"""Gradients of the classification losses for each example: the same text in kobai and in PyTorch."""
import pytest

SETUP = ("F=torch.nn.functional; x=torch.randn(5,3); t=torch.tensor([0,2,1,1,0]); w=torch.tensor([1.,2.,3.]); "
         "y=torch.ones(2,3,requires_grad=True); ")
CASES = """
torch.vmap(torch.func.grad(lambda x, t: F.cross_entropy(x[None], t[None])))(x, t)
torch.vmap(torch.func.grad(lambda x, t: F.cross_entropy(x, t, weight=w)))(x, t)
torch.vmap(torch.func.grad(lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1)))(x, t)
torch.vmap(torch.func.grad(lambda x, t: F.nll_loss(x[None], t[None], reduction='sum')), in_dims=(0, None))(x, t[0])
l=F.cross_entropy(y, torch.tensor([-100,-100])); l.backward(); (l, y.grad)
l=F.cross_entropy(y, torch.tensor([0,0]), weight=w*0); l.backward(); (l, y.grad)
F.cross_entropy(torch.zeros(0,3), torch.zeros(0).long())
g,=torch.autograd.grad(F.cross_entropy(y*2,t[:2],weight=w),y,create_graph=True); torch.autograd.grad((g**2).sum(),y)
""".strip().splitlines()


@pytest.mark.parametrize("line", CASES)
def test_same(line, same):
    same(SETUP + line)


def test_vjp_of_plain_tensors_keeps_no_graph(same):
    same("f=lambda v: v*v; o, back = torch.func.vjp(f, torch.ones(2)); back(torch.ones(2))")


def test_vjp_is_differentiable_by_its_cotangent(same):
    same("f=lambda v: v**3; o, back = torch.func.vjp(f, torch.ones(2)); "
         "torch.func.grad(lambda c: back(c * torch.ones(2))[0].sum())(torch.tensor(2.))")
