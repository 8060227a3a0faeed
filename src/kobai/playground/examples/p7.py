import torch
import torch.nn as nn

torch.manual_seed(0)
x = torch.linspace(-2, 2, 5, requires_grad=True)
for activation in [
    nn.ELU(), nn.Hardshrink(), nn.Hardtanh(), nn.LeakyReLU(), nn.LogSigmoid(), nn.PReLU(), nn.ReLU(), nn.ReLU6(),
    nn.RReLU(), nn.SELU(), nn.CELU(), nn.GELU(), nn.Sigmoid(), nn.Softplus(), nn.Softshrink(), nn.Softsign(),
    nn.Tanh(), nn.Tanhshrink(), nn.Threshold(0.1, 20), nn.Softmin(dim=0), nn.Softmax(dim=0), nn.LogSoftmax(dim=0),
]:
    x.grad = None
    y = activation(x)
    y.sum().backward()
    print(activation, y.detach(), x.grad, sep="\n  ")

image = torch.randn(1, 3, 2, 2, requires_grad=True)
print(nn.Softmax2d()(image).sum(dim=1))

attention = nn.MultiheadAttention(embed_dim=8, num_heads=2)
tokens = torch.randn(4, 1, 8)
output, weights = attention(tokens, tokens, tokens)
print(output.shape, weights.shape)

adaptive = nn.AdaptiveLogSoftmaxWithLoss(in_features=16, n_classes=20, cutoffs=[5, 10])
result = adaptive(torch.randn(3, 16), torch.tensor([1, 7, 15]))
result.loss.backward()
print(result)
