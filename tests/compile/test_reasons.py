"""What kobai.compile cannot record runs as always, and `reason` says why, with the line."""
import numpy as np
import pytest

import kobai as torch


class Holder:
    def __init__(self):
        self.scale, self.count, self.items = 2.0, 0, []


def _counts(holder):
    def f(x):
        holder.count += 1
        return x + holder.count
    return f


def _appends(holder):
    def f(x):
        holder.items.append(1)
        return x + len(holder.items)
    return f


def _prints(holder):
    def f(x):
        print("called")
        return x + 1
    return f


def _reads(holder):
    def f(x):
        return x * x.sum().item()
    return f


def _branches(holder):
    def f(x):
        return x + 1 if x.sum() > 3 else x - 1
    return f


def _numpy(holder):
    def f(x):
        return x + torch.from_numpy(np.cos(x.numpy()))
    return f


def _masks(holder):
    def f(x):
        return x[x > 1].sum()
    return f


def _iterates(holder):
    numbers = iter(range(1000))

    def f(x):
        return x + next(numbers)
    return f


@pytest.mark.parametrize("make", [_counts, _appends, _prints, _reads, _branches, _numpy, _masks,
                                  _iterates], ids=lambda f: f.__name__[1:])
def test_what_cannot_be_recorded_runs_as_always(make, capsys):
    def run(compile):
        torch.manual_seed(0)
        holder = Holder()
        f = compile(make(holder))
        results = [torch.as_tensor(f(torch.tensor([float(i), 1.0]))).tolist() for i in range(6)]
        return results, holder.count, holder.items, capsys.readouterr().out, f
    eager, compiled = run(lambda f: f), run(torch.compile)
    assert eager[:4] == compiled[:4]
    assert compiled[4].reason is not None


def test_many_shapes_run_eagerly():
    f = torch.compile(lambda x: x.exp().sum())
    for n in range(1, 20):
        assert f(torch.zeros(n)).item() == n
    assert "kinds of calls" in f.reason


def test_the_reason_names_the_line():
    @torch.compile
    def f(x):
        y = x.sum()
        return y * y.item()
    f(torch.ones(3))
    line = f.fn.__code__.co_firstlineno + 3
    assert f"test_reasons.py:{line} in f" in f.reason and "item()" in f.reason


def test_fullgraph_asks_for_an_error():
    f = torch.compile(lambda x: x * x.item(), fullgraph=True)
    with pytest.raises(RuntimeError, match=r"item\(\) needs the numbers"):
        f(torch.tensor(2.0))


def test_explain_prints_the_reason(capsys):
    f = torch.compile(lambda x: x * x.item(), explain=True)
    f(torch.tensor(2.0))
    f(torch.tensor(2.0))
    assert capsys.readouterr().out.count("runs eagerly: item()") == 1


def test_a_diagonal_is_filled():
    @torch.compile
    def f(x):
        y = x @ x.T
        y.fill_diagonal_(-1.0)
        return y * 2
    for _ in range(3):
        assert f(torch.arange(6.0).reshape(2, 3)).tolist() == [[-2.0, 28.0], [28.0, -2.0]]
    assert f.reason is None


def test_counts_in_a_tensor_decide_about_a_shape():
    f = torch.compile(lambda x, n: torch.repeat_interleave(x * 2, n))
    for n in ([1, 2], [2, 1], [0, 3], [1, 0]):
        assert f(torch.tensor([1.0, 2.0]), torch.tensor(n)).tolist() == [2.0] * n[0] + [4.0] * n[1]
    assert "repeat_interleave() with a tensor of counts" in f.reason and "test_reasons.py" in f.reason
