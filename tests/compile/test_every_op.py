"""Every op under kobai.compile: recorded and right, or run eagerly where docs/ops.md says so.

Made from the samples in the op classes; the expected numbers are those of the op itself, run eagerly.
"""
import pathlib

import numpy as np
import pytest

import kobai as torch
from kobai.compile.program import FAILED
from kobai.op import Op
from kobai.testing import compiled, engines

TABLE = pathlib.Path(__file__).parents[2] / "docs" / "ops.md"


@pytest.fixture(scope="module")
def written():
    """(file, op) -> what docs/ops.md says in its last column."""
    found, family = {}, None
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            family = line[3:]
        elif family and line.startswith("| ") and not line.startswith("| op "):
            cells = [c.strip() for c in line.strip("|").split("|")]
            found[family, cells[0]] = cells[-1]
    return found


@pytest.mark.parametrize("cls", engines.ops(), ids=lambda c: c.__name__)
def test_op(cls, written):
    reasons = [r for run, case in engines.compiled_cases(cls) if (r := run(*case)) is not None]
    assert not any(FAILED in r for r in reasons)
    cell = engines.YES if not reasons else engines.EAGERLY
    assert written[cls.__module__.rpartition(".")[2], cls.__name__] == cell, f"run: python tools/list_ops.py; {reasons}"


def test_what_runs_eagerly_says_why(written):
    for cls in engines.ops():
        if written.get((cls.__module__.rpartition(".")[2], cls.__name__)) == engines.EAGERLY:
            run, case = next(engines.compiled_cases(cls))
            assert "depends on numbers" in run(*case)


def test_a_wrong_program_is_noticed(monkeypatch):
    """The check can fail: a program with another op in it."""
    from kobai.compile import compiled as module
    from kobai.compile.graph import Graph, Node
    from kobai.ops.exponential import Exp, Expm1
    right = module._plan

    def wrong(graph):
        node, = graph.nodes
        other = Node(Expm1(), node.args, [(v.shape, v.dtype) for v in node.outs])
        return right(Graph(graph.inputs, [other], other.outs))
    case = Exp(), [np.linspace(0, 1, 7, dtype=np.float32)]
    assert compiled.check_forward(*case) is None
    monkeypatch.setattr(module, "_plan", wrong)
    with pytest.raises(AssertionError, match="call 0"):
        compiled.check_forward(*case)


@pytest.mark.parametrize("cls", engines.ops(), ids=lambda c: c.__name__)
def test_no_parameter_hides_a_method(cls):
    """An op's parameter called `lower` would stand for the method that the compiler asks."""
    assert not [n for n in cls.fields if hasattr(Op, n)]


def test_an_op_that_gives_its_very_input():
    from kobai.ops.implicit import StandardGamma
    samples = torch.tensor([0.5, 2.0])
    f = torch.compile(lambda a, x: StandardGamma()(a, x))
    for i in range(5):
        x = samples + i
        assert f(torch.tensor([1.0, 2.0]), x).tolist() == x.tolist()
