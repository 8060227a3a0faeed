import torch

x = torch.tensor(5.)
w = torch.tensor(2., requires_grad=True)
b = torch.tensor(1., requires_grad=True)
print(x, w, b)

y = w * x + b
print(y)
print(w.is_leaf, w.grad_fn)
print(y.grad_fn.next_functions)

y.backward()
print(w.grad, b.grad, x.grad)
