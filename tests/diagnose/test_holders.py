"""`kobai.who_holds_graph()` counts what is alive and names what keeps it."""
import collections
import gc

import pytest

import kobai
import kobai as torch


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "en")
    gc.collect()


def graphs(of):
    """The graphs that hold the leaf `of`."""
    from kobai.diagnose.tape import nodes_before
    return [g for g in kobai.who_holds_graph(show=False).facts["graphs"]
            if any(e is of for n in nodes_before([g.root()]) for e in n.edges)]


def test_nothing_is_held():
    w = torch.ones(3, requires_grad=True)
    (w * w).sum().backward()
    assert graphs(w) == []


def test_a_list_of_losses():
    w = torch.ones(100, requires_grad=True)
    losses = []
    for _ in range(5):
        loss = (w * w).exp().sum()
        losses.append(loss)
    held = graphs(w)
    assert len(held) == 5
    assert {h for g in held for h in g.holders if h.startswith("losses")} == {
        f"losses[{i}] in test_a_list_of_losses()" for i in range(5)}
    # Mul saves its factors, which are the leaf; exp its result: 100 float32. Sum saves nothing.
    assert [g.bytes for g in held] == [400] * 5 and [g.nodes for g in held] == [3] * 5
    text = str(kobai.who_holds_graph(show=False))
    assert "losses[...] in test_a_list_of_losses()" in text
    assert "loss = (w * w).exp().sum()" in text and "loss.item()" in text


def test_paths_through_containers_and_attributes():
    class State:
        pass

    w = torch.ones(3, requires_grad=True)
    state, history, queue = State(), {"loss": [(w * 2).sum()]}, collections.deque([(w * 3).sum()])
    state.hidden = w.tanh()
    held = {h.split(" ")[0] for g in graphs(w) for h in g.holders}
    assert {"history['loss'][0]", "queue[0]", "state.hidden"} <= held
    assert history and queue


def test_a_freed_graph_weighs_nothing():
    w = torch.ones(100, requires_grad=True)
    loss = w.exp().sum()
    assert graphs(w)[0].bytes == 400
    loss.backward()
    (g,) = graphs(w)
    assert g.freed and g.bytes == 0


def test_the_module_that_keeps_a_state():
    class Cell(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)
            self.h = None

        def forward(self, x):
            self.h = torch.tanh(self.layer(x))
            return self.h.sum()

    cell = Cell()
    cell(torch.ones(1, 2))
    (g,) = graphs(cell.layer.weight)
    assert any(h.startswith("cell.h") for h in g.holders)


def test_japanese(monkeypatch, capsys):
    monkeypatch.setenv("KOBAI_LANG", "ja")
    w = torch.ones(3, requires_grad=True)
    loss = (w * w).sum()
    kobai.who_holds_graph()
    assert "グラフ" in capsys.readouterr().out and loss is not None


def test_one_of_several_outputs_holds_the_graph():
    """`values, indices = x.max(0)`: the variable refers to an output, that to the node."""
    x = torch.ones(3, 2, requires_grad=True)
    values, _ = (x * 2).max(0)
    held = [g for g in torch.who_holds_graph(show=False).facts["graphs"] if any("values" in h for h in g.holders)]
    assert len(held) == 1 and values.requires_grad


class Shy:
    """Objects of libraries that warn whenever an attribute is read, __class__ among them."""

    def __getattribute__(self, key):
        raise AssertionError(f"{key} was read")


_SHY = {"deep": {"inside": [Shy()]}}


def test_objects_of_others_are_not_asked_for_anything():
    w = torch.ones(3, requires_grad=True)
    loss = (w * w).sum()
    assert graphs(w) and loss.item() == 3

    optimizer = torch.optim.SGD([w], lr=0.1)

    def step():
        optimizer.zero_grad()
        (w * w).sum().backward()

    assert [f.kind for f in torch.coach(step, show=False).facts["findings"]] == ["not_stepped"]
