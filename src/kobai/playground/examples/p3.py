import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

np.random.seed(0)
x = np.random.uniform(-1, 1, 100).astype(np.float32)
y = 2 * x + 0.1 * np.random.randn(100).astype(np.float32)
inputs, targets = torch.from_numpy(x), torch.from_numpy(y)

w = torch.tensor(0.0, requires_grad=True)
b = torch.tensor(0.0, requires_grad=True)


def model(x):
    return w * x + b


def mse(p, y):
    return ((p - y) ** 2).mean()


for epoch in range(100):
    loss = mse(model(inputs), targets)
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
        w.grad.zero_()
        b.grad.zero_()
    if epoch % 20 == 0:
        print(f"{epoch}: loss={loss.item():.4f} w={w.item():.4f} b={b.item():.4f}")

plt.scatter(x, y, s=8)
plt.plot(x, model(inputs).detach().numpy(), color="tab:red")
plt.show()

layer = nn.Linear(1, 1)
try:
    layer(torch.from_numpy(x.astype(np.float64).reshape(-1, 1)))
except RuntimeError as error:
    print(error)
