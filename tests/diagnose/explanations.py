"""Small programs, one function each, whose explanations the tests compare with golden files."""
import kobai
import kobai as torch
from kobai import nn, optim
from kobai.nn import functional as F


def explain_a_neuron():
    x = torch.tensor([[1.0, 2.0]])
    weight = torch.tensor([[0.6, -0.2]], requires_grad=True)
    bias = torch.tensor([0.8], requires_grad=True)
    y = torch.tanh(F.linear(x, weight, bias))
    loss = F.mse_loss(y, torch.tensor([[0.5]]))
    return kobai.explain(loss, show=False)


def explain_where_gradients_meet_and_stop():
    w = torch.tensor(3.0, requires_grad=True)
    a = w * 2
    still = a.detach()
    y = a * a + a * still
    return kobai.explain(y, show=False)


def explain_by_module():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    loss = model(torch.ones(4, 2)).pow(2).mean()
    return kobai.explain(loss, steps=2, show=False)


def explain_after_backward():
    w = torch.tensor(3.0, requires_grad=True)
    y = w**2
    y.backward()
    return kobai.explain(y, show=False)


def no_grad_integer():
    x = torch.tensor([1, 2])
    return kobai.why_no_grad(x, show=False)


def no_grad_block():
    w = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        z = w * 2
    return kobai.why_no_grad(z, show=False), w


def no_grad_detached():
    w = torch.ones(2, requires_grad=True)
    d = (w * 2).detach()
    return kobai.why_no_grad(d, show=False)


def no_grad_inner():
    w = torch.ones(2, requires_grad=True)
    y = w * 2
    return kobai.why_no_grad(y, show=False)


def no_grad_before_backward():
    w = torch.ones(2, requires_grad=True)
    loss = (w * w).sum()
    return kobai.why_no_grad(w, show=False), loss


def nan_forward():
    w = torch.tensor([1.0, 0.0, -1.0], requires_grad=True)

    def step():
        z = torch.log(w * 2)
        (z * 3).sum().backward()
    return kobai.why_nan(step, show=False)


def nan_from_infinity():
    x = torch.full((10,), 100.0, requires_grad=True)

    def step():
        e = torch.exp(x)
        (e / e.sum()).sum().backward()
    return kobai.why_nan(step, show=False)


def nan_backward():
    v = torch.zeros(3, requires_grad=True)

    def step():
        loss = (v.sqrt() * v).sum()
        loss.backward()
    return kobai.why_nan(step, show=False)


def nan_none():
    v = torch.ones(3, requires_grad=True)
    return kobai.why_nan(lambda: (v * v).sum().backward(), show=False)


def coach_many_mistakes():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 3))
    opt = optim.SGD(model[2].parameters(), lr=0.1)
    x, target, history = torch.randn(32, 4), torch.randint(0, 3, (32,)), []

    def step():
        loss = F.cross_entropy(model(x).softmax(1), target)
        loss.backward()
        opt.step()
        history.append(loss)
        with torch.no_grad():
            model(x)
    return kobai.coach(step, show=False)


def coach_nothing():
    w = torch.ones(1, requires_grad=True)
    opt = optim.SGD([w], lr=0.1)

    def step():
        opt.zero_grad()
        (w * w).sum().backward()
        opt.step()
    return kobai.coach(step, show=False)
