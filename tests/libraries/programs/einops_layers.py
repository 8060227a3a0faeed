"""einops on tensors and as layers: every backend function of its, with gradients."""

import torch
from einops import EinopsError, asnumpy, einsum, pack, parse_shape, rearrange, reduce, repeat, unpack
from einops.layers.torch import EinMix, Rearrange, Reduce
from torch import nn

x = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).reshape(2, 3, 4, 5).requires_grad_()
print(rearrange(x, "b c h w -> b (c h w)").shape, rearrange([x, x], "n b c h w -> b n c h w").shape)
print(repeat(x, "b c h w -> b c (h k) w", k=2).shape, einsum(x, x, "b c h w, b d h w -> b c d").sum())
packed, shapes = pack([x, x[..., 0]], "b c *")
print(packed.shape, shapes, [t.shape for t in unpack(packed, shapes, "b c *")], parse_shape(x, "b c _ w"))
for name in ("min", "max", "sum", "mean", "prod"):
    y = reduce(x * 0.01 + 0.5, "b c (h h2) w -> b c h", name, h2=2)
    print(name, y.sum(), torch.autograd.grad(y.sum(), x)[0].flatten()[:4])
print(reduce(x > 3, "b c h w -> b", "any"), reduce(x > 3, "b c h w -> b", "all"))
rearrange(x, "b c (h1 h) w -> (b h1) c h w", h1=2).pow(2).sum().backward()
print(x.grad.sum(), asnumpy(x).dtype)

torch.manual_seed(0)


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, dim * 3, bias=False)
        self.out = nn.Sequential(Rearrange("b h n d -> b n (h d)"), nn.Linear(dim, dim))

    def forward(self, x):
        q, k, v = (rearrange(t, "b n (h d) -> b h n d", h=self.heads) for t in self.qkv(x).chunk(3, dim=-1))
        scores = torch.einsum("b h i d, b h j d -> b h i j", q, k) * q.shape[-1] ** -0.5
        return self.out(einsum(scores.softmax(-1), v, "b h i j, b h j d -> b h i d"))


net = nn.Sequential(
    nn.Conv2d(3, 8, 2, stride=2),
    Rearrange("b c h w -> b (h w) c"),
    Attention(8, 2),
    EinMix("b t c -> b t d", weight_shape="c d", bias_shape="d", c=8, d=4),
    Reduce("b t d -> b d", "mean"),
    nn.Linear(4, 2),
)
print(net)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
images = torch.rand(4, 3, 4, 6)
for _ in range(3):
    loss = nn.functional.cross_entropy(net(images), torch.tensor([0, 1, 0, 1]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
print(list(net.state_dict()))
try:
    rearrange(x, "b c -> b c")
except EinopsError as e:
    print(str(e).splitlines()[0])
