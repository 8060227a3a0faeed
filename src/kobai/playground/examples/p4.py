import torch
from torch import nn, optim

x = torch.tensor([1.], requires_grad=True)
target = torch.tensor([0.])
criterion = nn.MSELoss()
optimizer = optim.SGD([x], lr=0.01)

for i in range(100):
    optimizer.zero_grad()
    y = x ** 2 - 2
    loss = criterion(y, target)
    loss.backward()
    print(f"{i}: x={x.data.numpy()[0]:.7f}, y={y.data.numpy()[0]:.7f}, dL/dx={x.grad.data.numpy()[0]:.7f}")
    optimizer.step()

print(f"x={x.data.numpy()[0]:.7f}")
