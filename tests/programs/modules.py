"""Hooks, containers, state dicts, and how modules print."""

import copy
from collections import OrderedDict

import torch
import torch.nn as nn

torch.manual_seed(0)
m = nn.Sequential(
    OrderedDict(
        [
            ("conv1", nn.Conv2d(1, 4, 3, padding=1)),
            ("bn", nn.BatchNorm2d(4)),
            ("relu", nn.ReLU(inplace=True)),
            ("pool", nn.MaxPool2d(2)),
            ("flat", nn.Flatten()),
            ("fc", nn.Linear(64, 3)),
        ]
    )
)
print(m, len(m), m.fc, m[0], m[1:3])
acts = {}


def get(name):
    def hook(mod, inp, out):
        acts[name] = out.detach()

    return hook


hs = [l.register_forward_hook(get(n)) for n, l in m.named_children()]
x = torch.randn(2, 1, 8, 8)
y = m(x)
print({k: tuple(v.shape) for k, v in acts.items()}, acts["bn"].mean(), y)
[h.remove() for h in hs]


def pre(mod, a):
    print("pre", type(mod).__name__, a[0].shape)
    return (a[0] * 2,)


def post(mod, a, o):
    print("post", o.shape)
    return o + 1


h1, h2 = m.fc.register_forward_pre_hook(pre), m.fc.register_forward_hook(post)
print(m(x))
h1.remove()
h2.remove()


def bw(mod, gi, go):
    print(type(mod).__name__, [None if g is None else tuple(g.shape) for g in gi], [tuple(g.shape) for g in go])


h = m.fc.register_full_backward_hook(bw)
h3 = m.conv1.register_full_backward_hook(bw)
hp = m.fc.register_full_backward_pre_hook(lambda mod, go: print("bpre", go[0].sum()))
m(x).sum().backward()
h.remove()
h3.remove()
hp.remove()
for n, p in m.named_parameters():
    print(n, tuple(p.shape), p.requires_grad, p.grad is not None)
print(
    [n for n, _ in m.named_modules()],
    [n for n, _ in m.named_buffers()],
    [type(c).__name__ for c in m.children()],
    m.bn.running_mean,
    m.bn.num_batches_tracked,
)
for p in m.conv1.parameters():
    p.requires_grad = False
print(sum(p.numel() for p in m.parameters()), sum(p.numel() for p in m.parameters() if p.requires_grad))
m.requires_grad_(True)
m.eval()
print(m.training, m.bn.training, m(x))
m.train()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.heads = nn.ModuleDict({"a": nn.Linear(4, 1), "b": nn.Sequential(nn.Linear(4, 2), nn.Softmax(dim=-1))})
        self.scale = nn.Parameter(torch.ones(1))
        self.pl = nn.ParameterList([nn.Parameter(torch.zeros(2)) for _ in range(2)])
        self.pd = nn.ParameterDict({"w": nn.Parameter(torch.ones(2, 2))})
        self.register_buffer("steps", torch.tensor(0))
        self.register_buffer("tmp", torch.zeros(1), persistent=False)
        self.opt = None

    def forward(self, x, head="a"):
        self.steps += 1
        for i, l in enumerate(self.layers):
            x = l(x).relu() if i % 2 == 0 else l(x).tanh()
        return self.heads[head](x) * self.scale

    def extra_repr(self):
        return f"steps={self.steps.item()}"


n = Net()
print(
    n(torch.ones(2, 4)),
    n(torch.ones(2, 4), "b"),
    n,
    n.steps,
    list(n.state_dict()),
    n.pl,
    n.pd,
    n.layers[-1],
    len(n.layers),
    list(n.heads.keys()),
    "a" in n.heads,
)
n.layers.append(nn.Linear(4, 4))
n.layers.insert(0, nn.Identity())
n.layers.extend([nn.ReLU()])
n.heads.update({"c": nn.Bilinear(4, 4, 1)})
del n.heads["a"]
n.layers[1] = nn.GELU(approximate="tanh")
print(n.layers, n.heads, n.heads.pop("b"))
print(n.get_parameter("pd.w"), n.get_submodule("layers.2"), n.get_buffer("steps"), hasattr(n, "foo"))
n2 = copy.deepcopy(n)
n2.scale.data.fill_(5)
print(n.scale, n2.scale)


def init(mod):
    if isinstance(mod, nn.Linear):
        torch.nn.init.xavier_uniform_(mod.weight)
        mod.bias.data.fill_(0.01)


print(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)).apply(init)[1].weight)
print(
    n.double().scale.dtype,
    n.half().scale.dtype,
    n.to(torch.float32).scale.dtype,
    n.float().cpu().scale.device,
    next(n.parameters()).is_cuda,
)
for mod in [
    nn.Conv1d(1, 2, 3, stride=2, dilation=2, bias=False),
    nn.ConvTranspose2d(2, 3, 3, 2, output_padding=1),
    nn.Conv3d(1, 2, (1, 2, 3), padding="same"),
    nn.AvgPool2d(2),
    nn.AdaptiveAvgPool2d((1, None)),
    nn.LSTM(2, 3, 2, bidirectional=True),
    nn.Embedding(3, 4, padding_idx=0, max_norm=1.0),
    nn.Dropout2d(0.3),
    nn.LayerNorm((3, 4)),
    nn.GroupNorm(2, 4, affine=False),
    nn.InstanceNorm1d(3),
    nn.BatchNorm1d(3, momentum=None, track_running_stats=False),
    nn.Softmax(dim=1),
    nn.LeakyReLU(0.2),
    nn.ELU(),
    nn.PReLU(),
    nn.Hardtanh(),
    nn.Threshold(0.1, 20),
    nn.Softplus(),
    nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
    nn.PixelShuffle(2),
    nn.ZeroPad2d(2),
    nn.ReflectionPad1d((1, 2)),
    nn.Unflatten(1, (2, 3)),
    nn.CrossEntropyLoss(weight=torch.ones(2), label_smoothing=0.1),
    nn.MSELoss(),
    nn.BCELoss(),
    nn.KLDivLoss(log_target=True),
    nn.CosineSimilarity(),
    nn.MultiheadAttention(4, 2),
    nn.TransformerEncoderLayer(4, 2, 8),
    nn.EmbeddingBag(3, 2, mode="sum"),
    nn.Bilinear(1, 2, 3),
    nn.LocalResponseNorm(2),
    nn.MaxUnpool2d(2),
    nn.Fold((4, 4), 2),
    nn.Unfold(2),
    nn.TripletMarginLoss(),
    nn.CTCLoss(),
    nn.AdaptiveLogSoftmaxWithLoss(4, 10, [2, 5]),
    nn.LPPool2d(2, 3),
    nn.FractionalMaxPool2d(2, output_size=3),
    nn.SyncBatchNorm(2),
    nn.GaussianNLLLoss(),
    nn.RReLU(),
    nn.GLU(),
    nn.LazyLinear(3),
    nn.Parameter(torch.ones(2)),
    nn.ChannelShuffle(2),
    nn.CircularPad2d(1),
    nn.AlphaDropout(),
    nn.SELU(),
    nn.Hardswish(),
    nn.Mish(),
    nn.SiLU(),
    nn.Softmin(),
    nn.Tanhshrink(),
    nn.HuberLoss(),
    nn.Linear(2, 3, bias=False, dtype=torch.float64),
]:
    print(mod)
lz = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))
print(lz, lz[0].weight)
lz(torch.ones(1, 2, 6, 6))
print(lz, lz[3].weight.shape)
try:
    print(nn.LazyLinear(3).weight.shape)
except Exception as e:
    print(type(e).__name__, str(e).split("\n")[0])
m.zero_grad()
print(all(p.grad is None for p in m.parameters()))
sd = m.state_dict()
print({k: tuple(v.shape) for k, v in sd.items()}, type(sd), sd._metadata["bn"] if hasattr(sd, "_metadata") else "")
new = OrderedDict((("module." + k), v) for k, v in sd.items())
print(m.load_state_dict({k.replace("module.", ""): v for k, v in new.items()}))
r = m.load_state_dict({"fc.weight": sd["fc.weight"], "zz": torch.ones(1)}, strict=False)
print(r.missing_keys, r.unexpected_keys, r)
print(
    m.named_parameters.__doc__ is not None,
    dict(m.named_children()).keys(),
    m.fc.in_features,
    m.fc.out_features,
    m.conv1.kernel_size,
    m.conv1.stride,
    m.conv1.padding,
    m.bn.eps,
    m.bn.momentum,
    m.bn.num_features,
    m.pool.kernel_size,
)


class Swish(nn.Module):
    def __init__(self, b=1.0):
        super().__init__()
        self.b = nn.Parameter(torch.tensor(b))

    def forward(self, x):
        return x * torch.sigmoid(self.b * x)


print(Swish(), Swish()(torch.tensor([1.0, -1.0])), dict(Swish().named_parameters()))
m.register_forward_hook(lambda mod, a, kw, o: print("kw", kw), with_kwargs=True)
m(x)
import torch.nn.modules.module as mm

print(
    isinstance(m, mm.Module),
    mm.Module is nn.Module,
    nn.modules.conv.Conv2d is nn.Conv2d,
    nn.modules.loss._Loss,
    m.__class__.__module__,
    nn.Linear.__module__,
    type(m.fc),
)
