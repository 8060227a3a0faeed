import torch

x = torch.tensor(1.0, requires_grad=True)
w = torch.tensor(2.0, requires_grad=True)
b = torch.tensor(3.0, requires_grad=True)

y = w * x + b
y.backward()
print(x.grad)
print(w.grad)
print(b.grad)

a = torch.tensor(1.0, requires_grad=True)
b = a + 2
print(b.grad_fn)
