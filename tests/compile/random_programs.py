"""Random programs as text: `program(seed)` is the source of a function `case(compile)` for `eager_and_compiled`.

A statement is tried on real tensors as it is made, so that programs get far.  They compute with arguments, parameters
and buffers, write into them and into views, take gradients inside; between the calls the driver changes what they use.
"""
import random

import kobai as torch
import kobai.nn.functional as F
from kobai import nn

VALUES = """{a}.sin()|{a}.tanh()|{a}.relu()|{a}.abs()|-{a}|{a} * {a}|{a}.detach()|{a}.clone()|{a}.clamp(-1, 1)|{a}.float()|
({a}.abs() + 1).log()|{a} > 0|{a}.round()|torch.zeros_like({a})|torch.ones_like({a})|1 - {a}|{a} / 3|{a}.data|torch.eye(3)|
torch.tensor([1., 2., 3.])|torch.arange(3)|nn.Parameter({a}.detach())|F.gelu({a})|{a} + {b}|{a} * {b}|{a} - {b}|{a} @ {b}|
torch.maximum({a}, {b})|torch.where({a} > {b}, {a}, {b})|torch.cat([{a}, {b}])|torch.stack([{a}, {b}])|{a}.expand_as({b})|
{a}.masked_fill({b} > 0, 0.5)|F.mse_loss({a}, {b})|{a}.gather(-1, {b}.argsort(-1))|{a}.sum()|{a}.sum(0)|{a}.mean(-1)|
{a}.max(0)[0]|{a}.argmax(-1)|{a}.softmax(-1)|{a}.cumsum(0)|{a}.amax(0)|{a}.var(0)|{a}.sort(-1)[0]|{a}.t()|{a}.flip(0)|
{a}[::2]|{a}[..., 0]|{a}[1:]|{a}[-1]|{a}[None]|{a}.reshape(-1)|{a}.view(-1)|{a}.tril()|F.pad({a}, (1, 0))|{a}[:1].expand(3, -1)|
{a}.repeat_interleave(2, 0)|{a}.chunk(2)[0]|{a}[[1, 0]]|F.dropout({a}, 0.3)|{a} * torch.rand_like({a})|torch.bernoulli({a}.sigmoid())|
{a} + torch.empty_like({a}).normal_()|torch.func.grad(lambda q: (q.sin() * {b}).sum())({a})|F.one_hot({a}.argmax(-1), 3)|
torch.func.vmap(torch.func.grad(lambda q: (q ** 2).sum()))({a})|torch.func.jvp(torch.sin, ({a},), ({b},))[1]|
torch.autograd.grad({a}.sin().sum(), w, create_graph=True)[0]""".replace("\n", "").split("|")
EFFECTS = """{a}.add_({b})|{a}.mul_(0.5)|{a}[0] = 0.25|{a}[0] = {b}|{a}[1] += {b}|{a}.zero_()|{a}.copy_({b})|{a}.t()[0].mul_({b})|
{a}[{a} > 0.5] = 0.25|{a}.view(-1)[0] += 1|{a}[1:] = {a}[:-1]|{a}.normal_()|{a}.detach().add_(1)|{a}.fill_diagonal_(0)|
({a}.sin().sum() + {b}.sum()).backward()|w.grad = None|buf.mul_(0.5).add_({a}.detach().sum())|buf.copy_(buf * 0.5 + {a}.mean())|
{a}.register_hook(lambda g: g * 2)|torch.nn.init.normal_(buf)|nn.utils.clip_grad_norm_([w, u], 1.0)|state.b = state.b * 0.5""".replace("\n", "").split("|")
CHANGES = """w.data.mul_(0.5)|u.requires_grad_(not u.requires_grad)|w.grad = None|w.grad = torch.ones_like(w)|w.data = w.data.clone()|
w = torch.randn(3, 3, requires_grad=True)|flag = not flag|state.scale += 0.5|buf = buf.clone()|buf.add_(1)|u.data = u.data.t()|
state.b = torch.ones(3, 3)|torch.manual_seed(i)|u = w * 2|u = w[0]|u = w.detach()|buf = w.data|w.data = torch.randn(4, 3)""".replace("\n", "").split("|")
ARGUMENTS = "x|x|x|w|w.detach()|w.t()|buf|u|x.t()|x.clone().requires_grad_()|x * w.sum()|x[0]|x.expand(3, 3)|x.double()".split("|")
BLOCKS = ("with torch.no_grad():", "if flag:", "for _ in range(2):", "if x.shape[0] > 2:", "if w.grad is None:",
          "with torch.enable_grad():")
SETUP = """w = torch.randn(3, 3, requires_grad=True)
u = torch.randn(3, requires_grad=True)
buf = torch.zeros(3, 3)
flag = True
state = types.SimpleNamespace(scale=0.5, b=torch.zeros(3, 3))"""


def program(seed):
    """The source of one program."""
    pick = random.Random(seed)
    torch.manual_seed(seed)
    space = {"torch": torch, "F": F, "nn": nn, "types": __import__("types")}
    exec(SETUP + "\nx, y = torch.randn(3, 3), torch.randn(3, 3)", space)
    body = _statements(pick, space, pick.randint(2, 9), "", 0)
    torch.set_grad_enabled(True)
    names = _tensors(space)
    made = [n for n in names if n[0] == "v"] or names
    result = ", ".join(pick.choice(made) for _ in range(pick.randint(1, 3)))
    lines = [*SETUP.split("\n"), "def step(x, y):", *["    " + line for line in body], f"    return {result},", "step = compile(step)",
             "out, kept = [], []", "for i in range(12):"]
    for _ in range(pick.randint(0, 2)):
        when = pick.choice([f"i == {pick.randint(2, 8)}", "i % 2", "i % 3 == 2", "i > 4"])
        lines.append(f"    if {when}: {pick.choice(CHANGES)}")
    lines += ["    x, y = torch.randn(3, 3), torch.randn(3, 3)",
              f"    if {pick.choice(['i > 4', 'i % 3 == 1', 'True'])}: {pick.choice('xy')} = {pick.choice(ARGUMENTS)}",
              "    r = attempt(step, x, y)", "    kept.append(r)", "    " + pick.choice(AFTER),
              "    out.append(copied([r, w, w.grad, u, u.grad, buf, state.b, x, y, torch.rand(1)]))", "return out, kept"]
    return "def case(compile):\n" + "\n".join("    " + line for line in lines) + "\n"


AFTER = ["pass", "attempt(lambda: sum(t.sin().sum() for t in r if t.requires_grad).backward())", "attempt(lambda: r[0].detach().add_(1))",
         "kept.append(attempt(lambda: torch.autograd.grad(r[0].sin().sum(), [w], create_graph=True)))"]


def _tensors(space):
    return [k for k, v in space.items() if isinstance(v, torch.Tensor)]


def _statements(pick, space, count, indent, depth):
    """Lines that run, one after the other, in `space`."""
    lines = []
    for _ in range(20 * count):
        if len(lines) >= count:
            break
        names = _tensors(space)
        a, b = (pick.choice(names[-5:] if pick.random() < 0.6 else names) for _ in "ab")
        kind = pick.random()
        if kind < 0.7:
            name = f"v{len(space)}"
            text = f"{name} = {pick.choice(VALUES).format(a=a, b=b)}"
        elif kind < 0.9:
            text = pick.choice(EFFECTS).format(a=a, b=b)
            if text.startswith(("w.add", "w.mul", "w[", "w.zero", "w.copy", "w.normal")) and pick.random() < 0.8:
                continue
        elif depth == 0:
            inner = _statements(pick, space, 2, indent + "    ", 1)
            lines += [indent + pick.choice(BLOCKS), *inner] if inner else []
            continue
        else:
            continue
        if _runs(text, space):
            lines.append(indent + text)
    return lines


def _runs(text, space):
    before = dict(space)
    try:
        exec(text, space)
        new = [v for k, v in space.items() if k not in before and isinstance(v, torch.Tensor)]
        if all(v.numel() <= 200 and bool((v.detach().abs() < 1e3).all()) for v in new):
            return True
    except Exception:  # whatever it is: not this statement, then
        pass
    space.clear()
    space.update(before)
    return False
