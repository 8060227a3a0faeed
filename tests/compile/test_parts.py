"""Functions of which one statement cannot be recorded run in parts around it.

Each case makes a function of (x, k) whose results, and what it leaves behind, must be those of the same function uncompiled.
"""
import contextlib
import random
import time
import types

import pytest
from eager_and_compiled import close

import kobai as torch
from kobai.compile.compiled import Compiled
from kobai.compile.parts import cut

CALLS = 8


def trained(state):
    """A model with a step of training, as (x) -> loss."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    state.model, state.opt = model, torch.optim.Adam(model.parameters(), lr=0.01)
    return model, state.opt


def appends_the_loss(state):
    model, opt = trained(state)
    state.losses = []

    def step(x, k):
        opt.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        opt.step()
        state.losses.append(loss.item())
        return loss
    return step


def counts(state):
    model, opt = trained(state)
    state.steps = 0

    def step(x, k):
        opt.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        opt.step()
        state.steps += 1
        return loss
    return step


def logs_now_and_then(state):
    model, opt = trained(state)
    state.lines, state.steps = [], 0

    def step(x, k, *, every=3):
        """With a text."""
        opt.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        if state.steps % every == 0:
            state.lines.append((state.steps, round(loss.item(), 3)))
        state.steps += 1
        return loss + norm
    return step


def schedules(state):
    model, opt = trained(state)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 10)

    def step(x, k):
        opt.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        opt.step()
        schedule.step()
        return loss
    return step


def sums_in_a_loop(state):
    model, opt = trained(state)

    def epoch(x, k):
        total = 0.0
        for part in x.split(2):
            opt.zero_grad()
            loss = model(part).square().mean()
            loss.backward()
            opt.step()
            total += loss.item()
        return total
    return epoch


def in_a_with(state):
    model, opt = trained(state)
    state.seen = []

    def evaluate(x, k):
        with torch.no_grad():
            a = model(x)
            b = (a - a.mean()).square().sum() + a.exp().mean()
            state.seen.append(b.item())
            c = (model(x * 2) + b).tanh().sum()
        return a.sum() + b + c
    return evaluate


def leaves_early(state):
    model, opt = trained(state)

    def step(x, k):
        loss = model(x).square().mean()
        if not torch.isfinite(loss):
            return None
        opt.zero_grad()
        loss.backward()
        if k == 3:
            return loss * 2
        opt.step()
        if loss.item() < 0.2:
            return loss + 1
        return loss
    return step


def not_always_set(state):
    model, opt = trained(state)

    def step(x, k):
        y = model(x).square() + x.exp().mean() * x.sin().sum()
        if k % 2:
            extra = y.sum() * 2
        number = y.mean().item()
        if k % 2:
            y = y + extra
        return y.sum() + number
    return step


def set_again(state):
    model, opt = trained(state)

    def step(x, k):
        loss = model(x).square().mean()
        opt.zero_grad()
        loss.backward()
        first = loss.item()
        opt.step()
        loss = model(x + first).square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss
    return step


def random_choice(state):
    model, opt = trained(state)

    def step(x, k):
        h = model(x).tanh() + x.sum(1, keepdim=True).sin() * x.exp().mean()
        if random.random() < 0.5:
            h = h * 2
        loss = h.square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss
    return step


def keeps_a_tensor(state):
    model, opt = trained(state)
    state.last = torch.zeros(4, 1)

    def step(x, k):
        y = model(x).tanh() * 2 + 1
        z = y + state.last.cos() * x.mean().exp()
        state.last = z.detach()
        loss = z.square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss
    return step


def returns_an_object(state):
    model, opt = trained(state)

    def step(x, k):
        opt.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        opt.step()
        return types.SimpleNamespace(loss=loss, k=k).loss, {"n": [v.item() for v in (loss, loss * 2)]}
    return step


def changes_a_list(state):
    model, opt = trained(state)

    def step(x, k):
        found = []
        y = model(x).square()
        found.append(y.mean())
        found.append(y.mean().exp().item())
        z = model(x + found[1]).square().mean() + found[0]
        found.append(z.detach())
        return z + found[2] + len(found)
    return step


def decorated(state):
    model, opt = trained(state)
    state.seen = []

    @torch.no_grad()
    def evaluate(x, k):
        y = (model(x).exp() + 1).log().sum() + x.sin().mean() * x.cos().mean()
        state.seen.append(y.item())
        return y * 2, torch.is_grad_enabled()
    return evaluate


def takes_out_a_list(state):
    model, opt = trained(state)

    def predict(x, k):
        return (model(x).exp() + 1).log().mul(x.sin().mean()).cpu().sum(1).tolist()
    return predict


def appends_what_it_computes(state):
    model, opt = trained(state)
    state.seen = []

    def predict(x, k):
        state.seen.append(float((model(x).exp() + 1).log().mul(x.sin().mean()).sum().item()))
        return k
    return predict


def takes_the_time(state):
    model, opt = trained(state)
    state.times = []

    def step(x, k):
        before = time.perf_counter()
        opt.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        opt.step()
        state.times.append(time.perf_counter() < before)
        return loss
    return step


def shares_a_list(state):
    model, opt = trained(state)
    state.seen = []

    def predict(x, k):
        found = same = []
        y = model(x).exp().sum() + x.sin().mean() * x.cos().mean()
        found.append(y)
        state.seen.append(y.item())
        same.append((model(x) * y).exp().sum() + x.sin().mean())
        return found, same, found is same
    return predict


CASES = {f.__name__: f for f in (
    appends_the_loss, counts, logs_now_and_then, schedules, sums_in_a_loop, in_a_with, leaves_early, not_always_set, set_again,
    random_choice, keeps_a_tensor, returns_an_object, changes_a_list, decorated, takes_out_a_list,
    appends_what_it_computes, takes_the_time, shares_a_list)}
# Those of which at least this many parts become programs.
PARTS = {"appends_the_loss": 1, "counts": 1, "logs_now_and_then": 1, "schedules": 1, "sums_in_a_loop": 1, "in_a_with": 2,
         "set_again": 1, "returns_an_object": 1, "decorated": 1, "random_choice": 1,
         "takes_out_a_list": 1, "appends_what_it_computes": 1}


def plain(v):
    if isinstance(v, torch.Tensor):
        return v.tolist()
    if isinstance(v, (list, tuple)):
        return [plain(i) for i in v]
    if isinstance(v, dict):
        return {k: plain(i) for k, i in v.items()}
    return v


def parts_of(compiled):
    """The compiled functions that stand in a function's parts, and in theirs."""
    for fn in compiled._parts.values():
        fn = getattr(fn, "__wrapped__", fn)
        for cell in getattr(fn, "__closure__", None) or ():
            if isinstance(cell.cell_contents, Compiled) and cell.cell_contents is not compiled:
                yield cell.cell_contents
                yield from parts_of(cell.cell_contents)


def ran(make, compile):
    state = types.SimpleNamespace()
    random.seed(1)
    fn = compile(make(state))
    results = [plain(fn(torch.linspace(-1, 1, 12).reshape(4, 3) * (k + 1) / 4, k)) for k in [0] * 5 + [1, 2, 3, 1, 2, 3, 0]]
    left = {n: plain(v) for n, v in vars(state).items() if n not in ("model", "opt")}
    return results, left, [p.tolist() for p in state.model.parameters()], state.opt.param_groups[0]["lr"], fn


@pytest.mark.parametrize("name", CASES)
def test_parts_do_what_the_function_does(name):
    eager, compiled = ran(CASES[name], lambda f: f), ran(CASES[name], torch.compile)
    close(eager[:4], compiled[:4])
    assert sum(bool(v.programs) for p in parts_of(compiled[4]) for v in p.variants.values()) >= PARTS.get(name, 0)


def test_the_parts_have_the_lines_of_the_function():
    model, table = torch.nn.Linear(3, 3), torch.rand(5, 3)
    losses = []

    def step(i):
        losses.append((model(table).square() + 1).log().sum().item())
        y = (model(table) * 2).exp().sum()
        z = model(table[i]).sum()
        return y + z
    compiled, first = torch.compile(step), step.__code__.co_firstlineno
    for _ in range(3):
        compiled(torch.tensor([1, 2]))
    part = [v for p in parts_of(compiled) for v in p.variants.values()][-1]
    assert part.programs
    with pytest.raises(IndexError) as e:
        compiled(torch.tensor([1, 7]))
    assert [t.lineno + 1 for t in e.traceback if str(t.path) == __file__][-1] == first + 3
    assert len(losses) == 4


def test_what_looks_at_its_own_variables_is_not_cut():
    def looks(x):
        y = x.exp()
        z = y.item()
        return len(locals()) + z

    def keeps(x):
        scale = x.exp()
        later = [lambda v: v * scale]
        scale = scale + x.item()
        return later[0](x)

    def makes(x):
        y = x.exp()
        yield y.item()
        yield y
    for fn in (looks, keeps, makes, lambda x: x.exp() + x.item(), len):
        line = getattr(getattr(fn, "__code__", None), "co_firstlineno", 0) + 2
        assert cut(fn, (line, None), torch.compile) is None


def test_a_function_whose_source_was_changed_is_not_cut(tmp_path, monkeypatch):
    """The source that Python finds must give the code that runs."""
    import linecache
    file = tmp_path / "program.py"
    text = "def f(x):\n    y = g(x)\n    z = y.item()\n    return g(y) + z\n"
    file.write_text(text)
    space = {"g": torch.exp}
    exec(compile(text, str(file), "exec"), space)
    linecache.checkcache()
    assert cut(space["f"], (3, None), torch.compile) is not None
    file.write_text(text.replace("g(y) + z", "g(y) - z"))
    linecache.checkcache()
    assert cut(space["f"], (3, None), torch.compile) is None


def test_fullgraph_still_refuses():
    state = types.SimpleNamespace()
    step = torch.compile(appends_the_loss(state), fullgraph=True)
    with pytest.raises(RuntimeError, match="item"):
        step(torch.ones(4, 3), 0)


def test_what_changes_is_named_with_its_line():
    state = types.SimpleNamespace()
    fn = counts(state)
    compiled = torch.compile(fn)
    for _ in range(6):
        compiled(torch.ones(4, 3), 0)
    line = fn.__code__.co_firstlineno + 5
    assert "state.steps" in compiled.reason and f"test_parts.py:{line} in step" in compiled.reason
    assert state.steps == 6


def warms_up(state):
    model, opt = trained(state)

    def step(x, k):
        opt.zero_grad()
        for group in opt.param_groups:
            group["lr"] = 0.01 * min(1.0, (k + 1) / 5)
        loss = model(x).square().mean()
        loss.backward()
        opt.step()
        return loss
    return step, lambda x, k: (x, k)


def takes_arrays(state):
    model, opt = trained(state)

    def step(x, k):
        x = torch.from_numpy(x)
        opt.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        opt.step()
        return loss
    return step, lambda x, k: (x.numpy(), 1)


def takes_an_object(state):
    model, opt = trained(state)

    def step(batch, k=2):
        y, z = batch.x, batch.k
        opt.zero_grad()
        loss = model(y).square().mean() * k
        loss.backward()
        opt.step()
        return loss + z
    return step, lambda x, k: (types.SimpleNamespace(x=x, k=k),)


def takes_a_list(state):
    model, opt = trained(state)

    def step(x, weights):
        weights = torch.tensor(weights)
        opt.zero_grad()
        loss = (model(x).square() * weights).mean()
        loss.backward()
        opt.step()
        return loss
    return step, lambda x, k: (x, [k / 2, k / 3])


@pytest.mark.parametrize("make", [warms_up, takes_arrays, takes_an_object, takes_a_list])
def test_arguments_that_are_others_on_each_call(make):
    """What reads them runs as always from the fifth call on, and the rest as programs, for any number of calls."""
    results = []
    for compile in (lambda f: f, torch.compile):
        state = types.SimpleNamespace()
        fn, arguments = make(state)
        fn = compile(fn)
        results.append([plain(fn(*arguments(torch.linspace(-1, 1, 12).reshape(4, 3) * (k + 1) / 4, k))) for k in range(12)])
        results[-1].append([p.tolist() for p in state.model.parameters()])
    close(*results)
    assert len(fn.variants) <= 4 and "is another number or object on each call" in fn.reason
    assert [v for p in parts_of(fn) for v in p.variants.values() if v.programs]


def test_a_module_that_counts_its_calls():
    class Counts(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.calls = torch.nn.Linear(3, 3), 0

        def forward(self, x):
            self.calls += 1
            return (self.inner(x).exp() + 1).log().sum() * x.sin().mean() + x.cos().mean()
    model = Counts()
    compiled = torch.compile(model)
    for _ in range(6):
        compiled(torch.ones(3))
    assert model.calls == 6


def unset_where_a_with_ends_early(state):
    model, opt = trained(state)
    state.seen = []

    def step(x, k):
        y = model(x).exp()
        loss = model(x).square().mean() + x.exp().sum() * x.cos().mean()
        state.seen.append(loss.item())
        with contextlib.suppress(ValueError):
            if k == 3:
                raise ValueError
            y = model(x).cos()
        return y.sum() + loss
    return step


def gone_after_an_except(state):
    model, opt = trained(state)
    state.seen = []

    def step(x, k):
        e = model(x).exp().sum()
        try:
            if k == 3:
                raise KeyError(k)
        except KeyError as e:
            state.seen.append(str(e))
        loss = model(x).square().mean() + x.exp().sum() * x.cos().mean()
        state.seen.append(loss.item())
        y = model(x).cos().sum() + loss
        return y if k == 3 else y + e
    return step


def generators_that_run_later(state):
    model, opt = trained(state)
    state.seen = []

    def step(x, k):
        scale = 2.0
        both = zip((1, 2), (model(v).mean() * scale for v in (x, x + 1)))
        loss = model(x).square().mean() + x.exp().sum() * x.cos().mean()
        state.seen.append(loss.item())
        scale = 3.0
        return model(x).sum() * sum([v * i for i, v in both]) * scale
    return step


@pytest.mark.parametrize("make", [unset_where_a_with_ends_early, gone_after_an_except, generators_that_run_later])
def test_variables_that_are_not_what_the_text_suggests(make):
    close(ran(make, lambda f: f)[:4], ran(make, torch.compile)[:4])


@pytest.mark.parametrize("fails", [lambda v: 1 / v, lambda v: v ** -1, lambda v: 1e10 ** (1e10 - v)], ids=("/", "**", "r**"))
def test_what_fails_with_a_number_does_so_in_its_line(fails):
    def step(x):
        number = (x.exp() * 0).sum().item()
        return fails(number)

    def inline(x):
        a, b = (x.exp() * 0).sum().item(), 1.0
        return b / a
    for fn, line in ((step, 2), (inline, 2)):
        compiled = torch.compile(fn)
        for _ in range(4):
            with pytest.raises((ZeroDivisionError, OverflowError)) as e:
                compiled(torch.ones(3))
            lines = [t.lineno + 1 - fn.__code__.co_firstlineno for t in e.traceback if t.name == fn.__name__]
            assert lines[-1:] == [line]
