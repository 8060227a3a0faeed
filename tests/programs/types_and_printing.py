"""All dtypes: creation, conversion, printing."""

import torch

for dt in [
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.uint8,
    torch.bool,
    torch.complex64,
    torch.complex128,
    torch.uint16,
    torch.uint32,
    torch.uint64,
]:
    t = torch.tensor([0, 1, 2, 100], dtype=dt)
    print(dt, t, t.dtype.itemsize, t.dtype.is_floating_point, t.dtype.is_complex, t.element_size(), t.nbytes)
    print(torch.zeros((), dtype=dt), torch.ones(2, 2, dtype=dt), torch.empty(0, dtype=dt))
for dt in [torch.float16, torch.bfloat16, torch.float32, torch.float64]:
    i = torch.finfo(dt)
    print(i)
    print(i.min, i.max, i.eps, i.tiny, i.smallest_normal, i.resolution, i.bits, i.dtype)
for dt in [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]:
    print(torch.iinfo(dt), torch.iinfo(dt).min, torch.iinfo(dt).max)
print(torch.tensor([1e10, 1.0]), torch.tensor([1e-10, 1.0]), torch.tensor([1e5, 1e-5]), torch.tensor([123456.789]))
print(
    torch.tensor([1.0, 2.0, 3.0]),
    torch.tensor([1.5, 2.0, 1000000.0]),
    torch.tensor([99999999.0]),
    torch.tensor(1e38),
    torch.tensor(1e-38),
)
print(
    torch.tensor([0.1, 0.22, 0.333]),
    torch.tensor([100000.5, 0.1]),
    torch.tensor([10000.0, 20000.0]),
    torch.tensor(16777217.0),
)
print(
    torch.tensor([float("nan"), 1.0]),
    torch.tensor([float("inf"), -float("inf")]),
    torch.tensor([float("nan"), 1e10]),
    torch.tensor([-0.0, 0.0]),
)
print(
    torch.tensor([1 + 2j, 3 - 4j]),
    torch.tensor([1e10 + 1j, 1e-3j]),
    torch.tensor(2.5j),
    torch.tensor([float("nan") * 1j]),
)
print(torch.tensor([[True, False], [False, True]]), torch.tensor(True), ~torch.tensor([True, False]))
print(torch.tensor([2**62, -(2**62)]), torch.tensor([255], dtype=torch.uint8), torch.tensor([-128], dtype=torch.int8))
print(torch.arange(0, 2000), torch.arange(0, 10000).reshape(100, 100), torch.zeros(3, 1001))
print(torch.arange(24.0).reshape(2, 3, 4))
print(torch.arange(16).reshape(2, 2, 2, 2) * 1.5)
torch.set_printoptions(precision=2)
print(torch.tensor([3.14159, 2.71828]), torch.tensor(1 / 3))
torch.set_printoptions(precision=8, sci_mode=True)
print(torch.tensor([3.14159, 2.71828]))
torch.set_printoptions(profile="default")
torch.set_printoptions(sci_mode=False)
print(torch.tensor([1e-8, 1e8]))
torch.set_printoptions(profile="short")
print(torch.tensor([3.14159, 2.71828]), torch.arange(1001))
torch.set_printoptions(profile="full")
print(torch.arange(1001).sum(), torch.arange(1100).shape)
torch.set_printoptions(threshold=10, edgeitems=2, linewidth=60)
print(torch.arange(100.0).reshape(10, 10), torch.arange(40))
torch.set_printoptions(profile="default")
x = torch.tensor([1, 2, 3])
print(
    x.float(),
    x.double(),
    x.half(),
    x.bfloat16(),
    x.int(),
    x.short(),
    x.char(),
    x.byte(),
    x.bool(),
    x.cfloat(),
    x.cdouble(),
)
print(
    x.type(),
    x.type(torch.FloatTensor),
    x.type("torch.DoubleTensor").type(),
    x.to(torch.float16).type(),
    x.bool().type(),
)
print(
    torch.FloatTensor([1, 2]),
    torch.LongTensor([1, 2]),
    torch.IntTensor(2, 3).shape,
    torch.BoolTensor([1, 0]),
    torch.Tensor([1, 2]),
    torch.Tensor(2, 3).shape,
    torch.ByteTensor([1]),
    torch.DoubleTensor([[1.0]]),
)
print(
    x.is_floating_point(),
    x.is_complex(),
    torch.is_tensor(x),
    torch.is_floating_point(x.float()),
    isinstance(x, torch.LongTensor),
    isinstance(x, torch.FloatTensor),
)
print(
    torch.can_cast(torch.float, torch.int),
    torch.promote_types(torch.int32, torch.float16),
    torch.result_type(torch.tensor([1]), 2.0),
    torch.get_default_dtype(),
)
torch.set_default_dtype(torch.float64)
print(torch.tensor(1.5).dtype, torch.tensor([0.1]), torch.randn(2).dtype, torch.tensor([1], dtype=torch.float32))
torch.set_default_dtype(torch.float32)
print(
    (torch.tensor([5], dtype=torch.uint8) - torch.tensor([10], dtype=torch.uint8)),
    torch.tensor([100], dtype=torch.int8) * 2,
    torch.tensor([1.9, -1.9]).int(),
    torch.tensor([300.0]).to(torch.uint8),
)
print(
    torch.tensor(3) / 2,
    torch.tensor(3) // 2,
    torch.tensor(-3) // 2,
    torch.tensor(-3) % 2,
    torch.tensor(3.0) % -2,
    torch.tensor(7) ** 2,
    2 ** torch.tensor(3.0),
    torch.true_divide(torch.tensor(1), 3),
)
print(
    torch.tensor([1, 2]) + 1.5,
    torch.tensor([1, 2]) * True,
    torch.tensor([True]) + 1,
    torch.tensor([True]) + torch.tensor([True]),
    torch.tensor(1.0, dtype=torch.float64) + torch.tensor([1.0]),
)
print(
    repr(x),
    str(x),
    f"{x}",
    f"{x[0]}",
    f"{x.float()[0]:.3f}",
    "%.2f" % x[0],
    f"{torch.tensor(3.5):>10.2f}|",
    format(torch.tensor(7), "04d"),
)
print(x.view(torch.int32), x.float().view(torch.int32), torch.tensor([1.0]).view(torch.uint8))
print(
    [v for v in x],
    list(x),
    x.tolist(),
    tuple(x.shape),
    len(x),
    x.ndim,
    x.dim(),
    x.nelement(),
    bool(x[0]),
    int(x[1]),
    float(x[2]),
    2 in x,
)
print(torch.tensor([[1.0, -1.0], [1e3, 1e-3]]), torch.tensor([[1.0, -1.0], [1e4, 1e-4]]), torch.tensor([[1.0], [1e5]]))
print(torch.rand(0, 3), torch.zeros(2, 0), torch.tensor([]), torch.tensor([[]]), torch.zeros(2, 0, dtype=torch.int64))
print(
    torch.tensor([1.0], requires_grad=True),
    torch.tensor(1.0, requires_grad=True) * 2,
    (torch.ones(2, requires_grad=True) * 2).detach(),
)
print(
    torch.float32,
    torch.device("cpu"),
    repr(torch.device("cpu")),
    torch.strided,
    torch.contiguous_format,
    torch.Size([2, 3]),
    torch.Size([2, 3]).numel(),
)
