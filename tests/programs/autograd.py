"""Gradients: the usual questions of an introduction."""
import torch

x = torch.ones(5)
y = torch.zeros(3)
torch.manual_seed(1)
w = torch.randn(5, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
z = torch.matmul(x, w) + b
loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
print(z, loss)
print(type(z.grad_fn).__name__, type(loss.grad_fn).__name__)
loss.backward()
print(w.grad)
print(b.grad)
print(z.requires_grad)
with torch.no_grad():
    z = torch.matmul(x, w) + b
print(z.requires_grad, z.detach().requires_grad)
inp = torch.eye(4, 5, requires_grad=True)
out = (inp + 1).pow(2).t()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"First call\n{inp.grad}")
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\nSecond call\n{inp.grad}")
inp.grad.zero_()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\nCall after zeroing gradients\n{inp.grad}")

a = torch.tensor([2.0, 3.0], requires_grad=True)
b = torch.tensor([6.0, 4.0], requires_grad=True)
Q = 3 * a ** 3 - b ** 2
Q.backward(gradient=torch.tensor([1.0, 1.0]))
print(9 * a ** 2 == a.grad, -2 * b == b.grad)

x = torch.tensor(2.0, requires_grad=True)
g, = torch.autograd.grad(x ** 4, x, create_graph=True)
h, = torch.autograd.grad(g, x, create_graph=True)
k, = torch.autograd.grad(h, x)
print(g, h, k)

v = torch.randn(3, requires_grad=True)
steps = v * 2
while steps.data.norm() < 1000:
    steps = steps * 2
steps.backward(torch.tensor([0.1, 1.0, 0.0001]))
print(v.grad)

c = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
d = c * 2
d.retain_grad()
d.register_hook(lambda grad: grad * 10)
d.sum().backward()
print(c.grad, d.grad, d.is_leaf, c.is_leaf, d.grad_fn.next_functions[0][0].variable is c)


class Exp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, i):
        result = i.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad_output):
        result, = ctx.saved_tensors
        return grad_output * result


t = torch.tensor([0.0, 1.0], requires_grad=True)
e = Exp.apply(t)
print(e)
e.sum().backward()
print(t.grad)
print(torch.autograd.functional.jacobian(lambda x: x ** 2, torch.tensor([1.0, 2.0])))
print(torch.autograd.functional.hessian(lambda x: (x ** 3).sum(), torch.tensor([1.0, 2.0])))
try:
    torch.tensor([1.0], requires_grad=True).numpy()
except RuntimeError as error:
    print(str(error).split("\n")[0])
try:
    y = t * 2
    y.sum().backward()
    y.sum().backward()
except RuntimeError as error:
    print(str(error).split("\n")[0][:60])
print(torch.func.vmap(torch.func.grad(lambda x: x.sin()))(torch.linspace(0, 1, 4)))
print(torch.sigmoid(torch.tensor(0.5, requires_grad=True)), (1 - t), (t / 2).mean(), t.view(2, 1), t[0], t.unsqueeze(0) @ t.unsqueeze(1))
