"""docs/ops.md says which op does what on which engine: it is true, and no cell gets worse.

The last column is that of tests/compile/test_every_op.py.
"""
import pathlib

import pytest

from kobai.op import leave_to_python
from kobai.testing import engines
from kobai.testing.engines import ENGINES, RANK

TABLE = pathlib.Path(__file__).parents[2] / "docs" / "ops.md"


@pytest.fixture(scope="module")
def written():
    """(file, op) -> cells, as docs/ops.md has them."""
    found, family = {}, None
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            family = line[3:]
        elif family and line.startswith("| ") and not line.startswith("| op "):
            name, _, *cells = [c.strip() for c in line.strip("|").split("|")]
            found[family, name] = tuple(cells[:-1])
    return found


@pytest.fixture(scope="module")
def tried():
    return {(r.family, r.name): r.cells for r in engines.rows(compiled=False)}


def test_no_cell_is_worse_than_written(written, tried):
    worse = [f"{name} ({family}), {engine}: {then!r} has become {now!r}"
             for (family, name), cells in written.items() if (family, name) in tried
             for engine, then, now in zip(ENGINES, cells, tried[family, name]) if RANK[now] < RANK[then]]
    assert not worse, "\n".join(worse)


def test_the_table_is_complete_and_new(written, tried):
    assert written == tried, "run: python tools/list_ops.py"


def test_a_wrong_rule_shows_in_the_table(monkeypatch):
    """The cells are tried, not declared."""
    from kobai.ops.exponential import Exp
    assert engines.cells(Exp)[2] == engines.YES
    monkeypatch.setattr(engines.check, "differentiable", lambda op, i, a: True)
    monkeypatch.setattr(Exp, "_plans", [None] * 8)
    monkeypatch.setattr(Exp, "_compiled", {})
    monkeypatch.setitem(Exp.rules, "x", lambda self, y: y * 2)
    leave_to_python(True)  # machine code may know the rules that were
    try:
        cells = engines.cells(Exp)
    finally:
        leave_to_python(False)
    assert cells[0] == engines.YES
    assert cells[2:5] == (engines.NO,) * 3
