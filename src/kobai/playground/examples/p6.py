import torch
import torch.nn as nn
from torchviz import make_dot


class NeuralNetwork(nn.Module):
    def __init__(self):
        super(NeuralNetwork, self).__init__()
        self.layer1 = nn.Linear(2, 1)

    def forward(self, x):
        return nn.Tanh()(self.layer1(x))


model = NeuralNetwork()
y_pred = model(torch.tensor([[1.0, 2.0]]))
make_dot(y_pred, params=dict(model.named_parameters()))
