import torch
import torch.nn as nn


class NeuralNetwork(nn.Module):
    def __init__(self):
        super(NeuralNetwork, self).__init__()
        self.layer1 = nn.Linear(2, 1)

    def forward(self, x):
        return nn.Tanh()(self.layer1(x))


model = NeuralNetwork()
print(model)

model.layer1.weight = nn.Parameter(torch.tensor([[0.6, -0.2]]))
model.layer1.bias = nn.Parameter(torch.tensor([0.8]))
print(model.state_dict())
for name, parameter in model.named_parameters():
    print(name, parameter.shape)

x = torch.tensor([[1.0, 2.0]])
y_pred = model(x)
print(y_pred)

criterion = nn.MSELoss()
loss = criterion(y_pred, torch.tensor([[1.0]]))
model.layer1.weight.grad = None
model.layer1.bias.grad = None
model.zero_grad()
loss.backward()
print(model.layer1.weight.grad)
print(model.layer1.bias.grad)
