import matplotlib.pyplot as plt
import torch


def f(x):
    return 2 * x ** 3 + 4 * x ** 2 + 5 * x + 6


x = torch.tensor(0.5, requires_grad=True)
y = f(x)
print(y)
print(torch.autograd.grad(y, x)[0])

x = torch.arange(-4.0, 4.0, 0.001, requires_grad=True)
y = f(x)
y.backward(gradient=torch.ones_like(y))
print(x.grad.shape)

plt.plot(x.detach().numpy(), y.detach().numpy(), label="y")
plt.plot(x.detach().numpy(), x.grad.numpy(), label="dy/dx")
plt.xlim(-4, 4)
plt.ylim(-40, 80)
plt.grid()
plt.legend()
plt.show()
