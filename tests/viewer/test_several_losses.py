"""Recordings of programs whose backward goes through what was computed before the last backward."""
import kobai
from kobai import nn
from kobai.viewer.model import describe
from kobai.viewer.record import Recording


def ops(d):
    return [n["op"] for n in d["nodes"] if n["kind"] == "op"]


def test_a_generator_is_shown_though_the_discriminator_had_its_backward_meanwhile():
    generator, judge = nn.Linear(2, 3), nn.Linear(3, 1)
    with Recording() as r:
        for _ in range(3):
            fake = generator(kobai.ones(4, 2)).tanh()
            judge(fake.detach()).sum().backward()
            loss = judge(fake).sigmoid().sum()
            loss.backward()
    d = describe(r)
    assert ops(d) == ["addmm", "tanh", "addmm", "sigmoid", "sum"]
    leaves = {n["name"] for n in d["nodes"] if n["kind"] != "op"}
    assert "fake" not in leaves
    assert [b["node"] for b in d["backward"]].count(d["nodes"][-1]["id"]) == 1
    passed = {d["nodes"][b["node"]]["op"] for b in d["backward"]}
    assert {"tanh", "addmm", "sigmoid"} <= passed


def test_two_losses_of_one_trunk():
    w = kobai.tensor([1.0, 2.0], requires_grad=True)
    with Recording() as r:
        trunk = (w * w).exp()
        trunk.sum().backward(retain_graph=True)
        other = trunk.mean()
        other.backward()
    d = describe(r)
    assert ops(d) == ["mul", "exp", "mean"] and sum(n["kind"] == "leaf" for n in d["nodes"]) == 1
    assert len(d["training"]["steps"]) == 2


def test_what_is_never_gone_through_is_not_kept_for_long():
    w = kobai.tensor([1.0, 2.0], requires_grad=True)
    with Recording() as r:
        for _ in range(20):
            (w * 3).exp()  # a metric that somebody computed without no_grad
            (w * w).sum().backward()
        assert sum(map(len, r._earlier)) <= 4
    assert ops(describe(r)) == ["mul", "sum"]
