"""Tensors with units, masks and logs: subclasses, __torch_function__, modes, wrappers."""

import functools

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode, handle_torch_function, has_torch_function_variadic, is_tensor_like


class Quantity(torch.Tensor):
    """Carries a unit."""

    @staticmethod
    def __new__(cls, data, unit="m", *args, **kwargs):
        return torch.Tensor._make_subclass(cls, torch.as_tensor(data, dtype=torch.float32))

    def __init__(self, data, unit="m"):
        self.unit = unit

    def __repr__(self, *, tensor_contents=None):
        return f"{self.as_subclass(torch.Tensor).tolist()} {getattr(self, 'unit', '?')}"

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        units = [getattr(a, "unit", None) for a in args if isinstance(a, Quantity)]
        if func in (torch.add, torch.Tensor.add, torch.sub, torch.Tensor.sub) and len(set(units)) > 1:
            raise TypeError(f"cannot combine {units[0]} and {units[1]}")
        ret = super().__torch_function__(func, types, args, kwargs)
        if isinstance(ret, Quantity):
            ret.unit = (
                "*".join(units)
                if func in (torch.mul, torch.Tensor.mul) and len(units) == 2
                else units[0]
                if units
                else "1"
            )
        return ret


a, b, t = Quantity([1.0, 2.0]), Quantity([3.0, 4.0]), Quantity([2.0, 2.0], "s")
print(a + b, a * t, (a * 3).sum(), torch.stack([a, b]).shape, F.relu(-a))
try:
    torch.add(a, t)
except TypeError as e:
    print("TypeError", e)
print(type(a.mean()), a.max().item(), torch.is_tensor(a), isinstance(a, torch.Tensor), a[0], a.reshape(2, 1))


class MaskedT(torch.Tensor):
    @staticmethod
    def wrap(x, mask):
        m = x.as_subclass(MaskedT)
        m.mask = mask
        return m

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func is torch.mean or func is torch.Tensor.mean:
            x = args[0]
            with torch._C.DisableTorchFunctionSubclass():
                return (x * x.mask).sum() / x.mask.sum()
        return super().__torch_function__(func, types, args, kwargs or {})


m = MaskedT.wrap(torch.tensor([1.0, 2.0, 30.0]), torch.tensor([1.0, 1.0, 0.0]))
print(m.mean(), torch.mean(m), type(m.mean()), m)


class LoggingTensor(torch.Tensor):
    calls = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ not in ("__get__", "__repr__"):
            cls.calls.append(func.__name__)
        return super().__torch_function__(func, types, args, kwargs or {})


net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
torch.manual_seed(0)
for p in net.parameters():
    nn.init.constant_(p, 0.1)
out = net(torch.ones(2, 3).as_subclass(LoggingTensor))
print(type(out).__name__, LoggingTensor.calls, out.grad_fn.name())
loss = F.cross_entropy(out, torch.tensor([0, 1]))
loss.backward()
print(loss, net[0].weight.grad[0], type(net[0].weight.grad))


class Diagonal:
    HANDLED = {}

    def __init__(self, d):
        self.d = torch.as_tensor(d)

    @classmethod
    def implements(cls, f):
        def deco(g):
            functools.update_wrapper(g, f)
            cls.HANDLED[f] = g
            return g

        return deco

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func not in cls.HANDLED:
            return NotImplemented
        return cls.HANDLED[func](*args, **(kwargs or {}))


@Diagonal.implements(torch.matmul)
def _(a, b):
    if isinstance(a, Diagonal) and isinstance(b, Diagonal):
        return Diagonal(a.d * b.d)
    return a.d[:, None] * b if isinstance(a, Diagonal) else a * b.d


@Diagonal.implements(torch.trace)
def _(a):
    return a.d.sum()


@Diagonal.implements(torch.linalg.det)
def _(a):
    return a.d.prod()


D = Diagonal([1.0, 2.0, 3.0])
print(
    torch.matmul(D, torch.ones(3, 2)),
    torch.matmul(torch.ones(2, 3), D),
    torch.matmul(D, D).d,
    torch.trace(D),
    torch.linalg.det(D),
    is_tensor_like(D),
)
try:
    torch.logdet(D)
except TypeError as e:
    print(str(e).splitlines()[0])


class Counter(TorchFunctionMode):
    def __init__(self):
        super().__init__()
        self.n = {}

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", str(func))
        self.n[name] = self.n.get(name, 0) + 1
        return func(*args, **(kwargs or {}))


with Counter() as c:
    x = torch.ones(3)
    y = torch.sin(x) + x.cos() * 2
    F.softmax(y, dim=0)
    torch.cat([x, y])
print({k: v for k, v in c.n.items() if k in ("sin", "cos", "mul", "add", "softmax", "cat", "ones")})


class Double(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        return out * 2 if func is torch.exp else out


with Double():
    print(torch.exp(torch.zeros(2)), torch.zeros(2).exp())
print(torch.exp(torch.zeros(1)))


class P(nn.Parameter):
    def __new__(cls, data, tag="x"):
        return super().__new__(cls, data)

    def __init__(self, data, tag="x"):
        self.tag = tag


class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = P(torch.ones(2), tag="decay")
        self.b = nn.Parameter(torch.zeros(1))


mod = M()
print([(n, type(p).__name__, getattr(p, "tag", None)) for n, p in mod.named_parameters()], type(mod.w + 1).__name__)
opt = torch.optim.SGD(
    [{"params": [p for p in mod.parameters() if getattr(p, "tag", "") == "decay"], "weight_decay": 0.1}], lr=1.0
)
(mod.w.sum() * 2).backward()
opt.step()
print(mod.w)


def my_api(x, y=1.0):
    if has_torch_function_variadic(x, y):
        return handle_torch_function(my_api, (x, y), x, y=y)
    return x * y


Diagonal.HANDLED[my_api] = lambda x, y=1.0: "handled"
print(my_api(3.0, 2), my_api(D), my_api(a, y=2))
