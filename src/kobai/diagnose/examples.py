"""For each code of the catalogue a program that makes the mistake, and the same program without it.

`torch`, `nn`, `F` (nn.functional), `np` and `optim` are imported. The tests run them all: each first one
raises exactly its code, each second one runs.
"""
from __future__ import annotations

from .examples_calls import TEXT_OF_CALLS
from .examples_kinds import TEXT_OF_KINDS
from .examples_use import TEXT_OF_USE
from .examples_values import TEXT_OF_VALUES

_TEXT = """
K101
x = torch.tensor([1., 2., 3.], requires_grad=True)
y = x * 2
z = y * y
y.add_(1)
z.sum().backward()
--
x = torch.tensor([1., 2., 3.], requires_grad=True)
y = x * 2
z = y * y
y = y + 1
z.sum().backward()

K102
w = torch.tensor(2., requires_grad=True)
loss = w ** 2
loss.backward()
loss.backward()
--
w = torch.tensor(2., requires_grad=True)
for step in range(2):
    loss = w ** 2
    loss.backward()

K103
w = torch.tensor([1., 2.])
loss = (w * 3).sum()
loss.backward()
--
w = torch.tensor([1., 2.], requires_grad=True)
loss = (w * 3).sum()
loss.backward()

K104
w = torch.tensor([1., 2.], requires_grad=True)
y = w * 2
y.backward()
--
w = torch.tensor([1., 2.], requires_grad=True)
y = w * 2
y.sum().backward()

K105
w = torch.ones(2, requires_grad=True)
y = w * 2
y.backward(torch.ones(3))
--
w = torch.ones(2, requires_grad=True)
y = w * 2
y.backward(torch.ones(2))

K106
w, x = torch.ones(2, requires_grad=True), torch.ones(2)
torch.autograd.grad((w * x).sum(), x)
--
w, x = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
torch.autograd.grad((w * x).sum(), x)

K107
w, v = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
torch.autograd.grad((w * 2).sum(), [w, v])
--
w, v = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
torch.autograd.grad((w * v).sum(), [w, v])

K108
w = torch.ones(2, requires_grad=True)
y = w * 2
y.sum().backward()
print(y.grad)
--
w = torch.ones(2, requires_grad=True)
y = w * 2
y.retain_grad()
y.sum().backward()
print(y.grad)

K109
w = torch.ones(3, requires_grad=True)
w.grad = torch.zeros(2)
--
w = torch.ones(3, requires_grad=True)
w.grad = torch.zeros(3)

K110
w = torch.ones(3, requires_grad=True)
w.grad = torch.zeros(3, dtype=torch.float64)
--
w = torch.ones(3, requires_grad=True)
w.grad = torch.zeros(3, dtype=w.dtype)

K111
w = torch.tensor(2, requires_grad=True)
--
w = torch.tensor(2., requires_grad=True)

K112
w = torch.tensor(1., requires_grad=True)
y = w * 2
y.requires_grad_(False)
--
w = torch.tensor(1., requires_grad=True)
y = (w * 2).detach()

K113
w = torch.ones(2, requires_grad=True)
w.numpy()
--
w = torch.ones(2, requires_grad=True)
w.detach().numpy()

K114
x = torch.ones(2)
x.retain_grad()
--
x = torch.ones(2, requires_grad=True)
y = x * 2
y.retain_grad()

K115
w = torch.zeros(2, requires_grad=True)
with torch.autograd.set_detect_anomaly(True):
    loss = (w.sqrt() * w).sum()
    loss.backward()
--
w = torch.zeros(2, requires_grad=True)
with torch.autograd.set_detect_anomaly(True):
    loss = ((w + 1e-6).sqrt() * w).sum()
    loss.backward()

K116
w = torch.tensor([1., -1.], requires_grad=True)
with torch.autograd.set_detect_anomaly(True):
    loss = torch.log(w).sum()
--
w = torch.tensor([1., -1.], requires_grad=True)
with torch.autograd.set_detect_anomaly(True):
    loss = torch.log(w.clamp(min=1e-6)).sum()

K117
x = torch.ones(2)
x.register_hook(print)
--
x = torch.ones(2, requires_grad=True)
x.register_hook(print)

K118
import copy
w = torch.ones(2, requires_grad=True)
y = w * 2
copy.deepcopy(y)
--
import copy
w = torch.ones(2, requires_grad=True)
y = (w * 2).detach()
copy.deepcopy(y)

K119
w, result = torch.ones(2, requires_grad=True), torch.empty(2)
torch.mul(w, 2, out=result)
--
w = torch.ones(2, requires_grad=True)
result = torch.mul(w, 2)

K121
w = torch.ones(2, requires_grad=True)
w -= 0.1
--
w = torch.ones(2, requires_grad=True)
with torch.no_grad():
    w -= 0.1

K122
w = torch.ones(2, requires_grad=True)
w[0] = 5.
--
w = torch.ones(2, requires_grad=True)
with torch.no_grad():
    w[0] = 5.

K123
x = torch.ones(3)
x.add_(torch.ones(2, 3))
--
x = torch.ones(3)
x = x + torch.ones(2, 3)

K124
x = torch.ones(1).expand(3)
x.add_(1)
--
x = torch.ones(1).expand(3).clone()
x.add_(1)

K131
a, b = torch.ones(2, 3), torch.ones(2)
a + b
--
a, b = torch.ones(2, 3), torch.ones(2)
a + b.unsqueeze(1)

K132
a, b = torch.ones(2, 3), torch.ones(2, 3)
a @ b
--
a, b = torch.ones(2, 3), torch.ones(2, 3)
a @ b.T

K133
model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(5, 1))
model(torch.ones(2, 4))
--
model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))
model(torch.ones(2, 4))

K134
data = np.random.rand(4, 3)
nn.Linear(3, 2)(torch.from_numpy(data))
--
data = np.random.rand(4, 3)
nn.Linear(3, 2)(torch.from_numpy(data).float())

K135
a = torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.float64)
--
a = torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.float64).float()

K141
torch.vmap(lambda x: torch.tensor(x.item()))(torch.ones(3))
--
torch.vmap(lambda x: x * 2)(torch.ones(3))

K142
total = torch.zeros(1)
torch.vmap(lambda x: total.add_(x))(torch.ones(3, 1))
--
total = torch.zeros(1)
torch.vmap(lambda x: total + x)(torch.ones(3, 1))

K143
torch.vmap(lambda x: x if x > 0 else -x)(torch.ones(3))
--
torch.vmap(lambda x: torch.where(x > 0, x, -x))(torch.ones(3))
"""


def _read(text):
    """{"K101": (wrong, fixed)}."""
    found: dict[str, tuple[str, str]] = {}
    for part in text.strip().split("\n\n"):
        number, _, programs = part.partition("\n")
        wrong, _, fixed = programs.partition("\n--\n")
        found[number] = wrong, fixed
    return found


EXAMPLES = _read(_TEXT) | _read(TEXT_OF_USE) | _read(TEXT_OF_CALLS) | _read(TEXT_OF_VALUES) | _read(TEXT_OF_KINDS)
