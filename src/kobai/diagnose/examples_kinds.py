"""Examples for the codes of `catalogue_kinds.py`, read by `examples.py`."""
from __future__ import annotations

TEXT_OF_KINDS = """
K401
nn.Bilinear(0, 3, 4)
--
nn.Bilinear(2, 3, 4)

K402
torch.set_num_threads("2")
--
torch.set_num_threads(2)

K403
nn.RNN(3, 4, nonlinearity="sigmoid")
--
nn.RNN(3, 4, nonlinearity="tanh")

K404
torch.zeros()
--
torch.zeros(2, 3)

K405
torch.ones(3).var(unbiased=True, correction=0)
--
torch.ones(3).var(correction=0)

K406
torch.utils.data.DataLoader(range(8), batch_size=4, prefetch_factor=2)
--
torch.utils.data.DataLoader(range(8), batch_size=4)

K407
F.fold(torch.ones(1, 4, 4), output_size=(3, 3, 3), kernel_size=2)
--
F.fold(torch.ones(1, 4, 4), output_size=(3, 3), kernel_size=2)

K408
torch.randint(6)
--
torch.randint(6, (3,))

K411
torch.combinations(torch.ones(2, 3))
--
torch.combinations(torch.ones(2, 3).flatten())

K412
x = torch.ones(3)
torch.func.jvp(torch.sin, (x,), (torch.ones(2),))
--
x = torch.ones(3)
torch.func.jvp(torch.sin, (x,), (torch.ones(3),))

K413
torch.tensordot(torch.ones(2, 3), torch.ones(2, 4), dims=1)
--
torch.tensordot(torch.ones(2, 3), torch.ones(3, 4), dims=1)

K414
torch.linalg.cross(torch.ones(2, 4), torch.ones(2, 4))
--
torch.linalg.cross(torch.ones(2, 3), torch.ones(2, 3))

K415
F.pixel_shuffle(torch.ones(1, 6, 4, 4), 2)
--
F.pixel_shuffle(torch.ones(1, 8, 4, 4), 2)

K416
delays = torch.tensor([])
delays.quantile(0.9)
--
delays = torch.tensor([0.3, 0.1])
delays.quantile(0.9)

K417
torch.ones(3).imag
--
torch.ones(3).to(torch.complex64).imag

K418
torch.ones(3).quantile(torch.tensor(0.5, dtype=torch.float64))
--
torch.ones(3).quantile(torch.tensor(0.5))

K419
torch.ones(3).select(0, 3)
--
torch.ones(3).select(0, 2)

K420
torch.repeat_interleave(torch.tensor([2, -1]))
--
torch.repeat_interleave(torch.tensor([2, 1]))

K421
torch.ones(2, 2).crow_indices()
--
torch.ones(2, 2).to_sparse_csr().crow_indices()

K422
torch.ones(3).as_strided((3,), (-1,), 2)
--
torch.ones(3).flip(0)

K423
A, b = torch.tensor([[1., 2.], [2., 4.]]), torch.ones(2)
torch.linalg.solve(A, b)
--
A, b = torch.tensor([[1., 2.], [2., 4.]]), torch.ones(2)
torch.linalg.lstsq(A, b[:, None]).solution

K424
import kobai.compat.tensorflow as tf
tf.pow(tf.constant(2), -1)
--
import kobai.compat.tensorflow as tf
tf.pow(tf.constant(2.0), -1.0)

K431
torch.ones(3).chalf()
--
torch.ones(3).cfloat()

K432
s = torch.tensor(2., requires_grad=True)
torch.special.zeta(s, torch.tensor(1.)).backward()
--
s = torch.tensor(2., requires_grad=True)
torch.special.zeta(s.detach(), torch.tensor(1., requires_grad=True)).backward()

K441
w = torch.ones(2, requires_grad=True)
optimizer, scaler = optim.SGD([w], lr=0.1), torch.amp.GradScaler("cpu")
scaler.scale(w.sum()).backward()
scaler.unscale_(optimizer)
scaler.unscale_(optimizer)
--
w = torch.ones(2, requires_grad=True)
optimizer, scaler = optim.SGD([w], lr=0.1), torch.amp.GradScaler("cpu")
scaler.scale(w.sum()).backward()
scaler.unscale_(optimizer)
scaler.step(optimizer)
scaler.update()

K442
class Half(torch.utils.data.Sampler):
    def __len__(self):
        return 4
list(Half())
--
class Half(torch.utils.data.Sampler):
    def __len__(self):
        return 4
    def __iter__(self):
        return iter(range(0, 8, 2))
list(Half())

K443
w = torch.ones(2, requires_grad=True)
w.register_hook(lambda g: g.tolist())
w.sum().backward()
--
w = torch.ones(2, requires_grad=True)
w.register_hook(lambda g: 2 * g)
w.sum().backward()

K444
net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
net.get_submodule("linear")
--
net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
net.get_submodule("0")

K445
net = nn.Linear(2, 3)
net.add_module("train", nn.Linear(2, 3))
--
net = nn.Linear(2, 3)
net.add_module("train_head", nn.Linear(2, 3))

K446
net = nn.Linear(2, 3)
net.add_module("layer.1", nn.Tanh())
--
net = nn.Linear(2, 3)
net.add_module("layer_1", nn.Tanh())

K447
x = torch.arange(4)
del x[1]
--
x = torch.arange(4)
x = torch.cat([x[:1], x[2:]])

K451
torch.ones(2, 3).roll((1, 2), dims=(0,))
--
torch.ones(2, 3).roll((1, 2), dims=(0, 1))

K453
from kobai.func import rearrange
rearrange(torch.ones(2, 3, 4), "b h w")
--
from kobai.func import rearrange
rearrange(torch.ones(2, 3, 4), "b h w -> b (h w)")

K461
import io, pickle
torch.load(io.BytesIO(pickle.dumps([1, 2, 3])))
--
import io
file = io.BytesIO()
torch.save([1, 2, 3], file)
file.seek(0)
torch.load(file)

K463
torch.ones(3, device="mps")
--
torch.ones(3, device="cpu")
"""
