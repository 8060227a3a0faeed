"""compile/keep.py: what the passes made of a graph is read from the disk, and is the same."""
import numpy as np
import pytest
from graphs_to_compile import apply, assert_same, random_graph, recorded

import kobai
from kobai.compile import keep, plan as module
from kobai.compile.builder import Builder
from kobai.compile.graph import Graph, Value
from kobai.compile.keep import key_of
from kobai.compile.memory import Arrangement
from kobai.compile.plan import plan
from kobai.ops import elementwise as e, movement as v


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """Every graph is kept, in a folder of its own; gives the calls of the passes."""
    monkeypatch.setenv("KOBAI_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("KOBAI_CACHE", raising=False)
    monkeypatch.setattr(keep, "LEAST", 0)
    calls, arranged = [], module._arranged
    monkeypatch.setattr(module, "_arranged", lambda graph, made: calls.append(graph) or arranged(graph, made))
    return calls


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs(seed, kept):
    graph, arrays = random_graph(seed, 15)
    assert_same(graph, arrays, plan(graph))
    assert_same(graph, arrays, plan(graph))
    assert len(kept) == 1


def test_a_training_step_with_ops_of_all_kinds(kept):
    kobai.manual_seed(0)
    model = kobai.nn.Sequential(kobai.nn.Embedding(7, 20), kobai.nn.LayerNorm(20), kobai.nn.Linear(20, 30),
                                kobai.nn.GELU(), kobai.nn.Linear(30, 4))
    x, t = kobai.randint(0, 7, (5, 9)), kobai.randint(0, 4, (45,))
    opt = kobai.optim.AdamW(model.parameters())

    def step():
        opt.zero_grad()
        loss = kobai.nn.functional.cross_entropy(model(x).view(45, 4), t)
        loss.backward()
        opt.step()
        return loss
    graph, arrays = recorded(step)
    for _ in range(2):
        assert_same(graph, arrays, plan(graph), rtol=1e-4)
    again, arrays = recorded(step)  # another recording of the same step
    assert_same(again, arrays, plan(again), rtol=1e-4)
    assert len(kept) == 1


def product_with(constant, strides=None):
    x = Value((2, 3), "f4", strides=strides)
    c = Value(constant.shape, constant.dtype, constant=constant)
    y = apply(e.Mul(), x, c)
    return Graph([x], [y], y.outs)


def test_the_key_knows_constants_and_strides():
    ones = np.ones((2, 3), "f4")
    other = ones.copy()
    other[1, 2] = 2
    keys = [key_of(product_with(c, s)) for c, s in ((ones, None), (other, None), (ones, (4, 8)))]
    assert len(set(keys)) == 3
    assert key_of(product_with(np.ones((2, 3), "f4"))) == keys[0]


def test_the_key_knows_fields_and_arguments():
    x = Value((2, 2), "f4")

    def key(*ops):
        nodes = [apply(op, x, *args) for op, *args in ops]
        return key_of(Graph([x], nodes, [n.outs[0] for n in nodes]))
    graphs = [(v.T(),), (v.Permute((1, 0)),), (v.Permute((0, 1)),), (e.Add(), np.float32(1)), (e.Add(), np.float32(2)),
              (e.Add(), x), (e.Sub(), x)]
    assert len({key(g) for g in graphs}) == len(graphs)


def test_what_cannot_be_read_is_made_again(kept, monkeypatch):
    graph, arrays = random_graph(3, 15)
    plan(graph)
    monkeypatch.setattr(keep, "_value", None)
    monkeypatch.setattr(keep._Unpickler, "persistent_load", lambda self, number: self.missing)
    assert_same(graph, arrays, plan(graph))
    assert len(kept) == 2


def test_kernels_may_be_looked_at_by_another_thread_while_they_are_written():
    """A thread that compiles a kernel notes its key in it."""
    k = Builder("k")
    kernel = k.finish(k.operand("f32", "x") * 2)
    graph = Graph([], [], [])

    class Odd(str):
        def __reduce__(self):
            vars(kernel)[f"found {len(vars(kernel))}"] = True
            return str, (str(self),)
    vars(kernel).update({f"a{i}": Odd(i) for i in range(5)})
    packed = keep._pack(graph, Arrangement([kernel], {}, 0))
    again, = keep._unpack(graph, packed).steps
    assert again.key == kernel.key and again.name == "k"
