"""The form of what the viewer says: long graphs, summaries of values, both languages."""
import importlib
import json
import pkgutil
import re

import numpy as np
import pytest

import kobai
from kobai.op import registry
from kobai.viewer.docs_ja import DOCS
from kobai.viewer.model import describe
from kobai.viewer.values import summary


def leaf(value):
    return kobai.tensor(value, requires_grad=True)


def acyclic(nodes, edges):
    """Whether edges (pairs) between these nodes have no cycle (Kahn's algorithm)."""
    after, missing = {n: [] for n in nodes}, dict.fromkeys(nodes, 0)
    for a, b in set(edges):
        if a != b:
            after[a].append(b)
            missing[b] += 1
    ready, done = [n for n in nodes if not missing[n]], 0
    while ready:
        done += 1
        for n in after[ready.pop()]:
            missing[n] -= 1
            if not missing[n]:
                ready.append(n)
    return done == len(missing)


# ---- size and form -----------------------------------------------------------------------------
def test_long_graphs_are_cut_into_runs_that_fold_without_cycles():
    x = leaf(1.0)
    y = x
    for _ in range(700):
        y = y * 1.001 + x
    d = describe(y)
    children = {}
    for item in (*(n for n in d["nodes"] if n["kind"] == "op"), *d["modules"]):
        inside = item["module"] if "module" in item else item["parent"]
        children[inside] = children.get(inside, 0) + 1
    assert max(children.values()) <= 100 and all(m["kind"] == "run" for m in d["modules"])
    closed = [m["id"] for m in d["modules"] if m["parent"] is None][::2]
    keys = {}
    for n in d["nodes"]:
        chain, m = [], n["module"]
        while m is not None:
            chain.append(m)
            m = d["modules"][m]["parent"]
        keys[n["id"]] = next((f"m{m}" for m in reversed(chain) if m in closed), n["id"])
    assert acyclic(set(keys.values()), [(keys[a], keys[b]) for a, b, _, _ in d["edges"]])


def test_everything_is_json_and_inputs_come_first():
    with np.errstate(all="ignore"):
        bad = leaf([0.0, -1.0]).log() * kobai.tensor([1.0, 2.0])
    d = describe(bad)
    text = json.dumps(d, allow_nan=False)
    assert '"-inf"' in text and '"nan"' in text
    assert all(a < b for a, b, _, _ in d["edges"]) and [n["id"] for n in d["nodes"]] == list(range(len(d["nodes"])))


def test_summary_of_many_numbers():
    a = np.arange(10_000, dtype=np.float32).reshape(100, 100)
    a[0, 0], a[1, 1] = np.nan, np.inf
    s = summary(a)
    good = a[np.isfinite(a)]
    assert (s["nan"], s["inf"]) == (1, 1) and "data" not in s
    assert s["mean"] == pytest.approx(good.mean(dtype=float)) and s["std"] == pytest.approx(good.std(dtype=float))
    assert s["corner"]["data"][0] == "nan" and s["corner"]["data"][1] == 1
    assert (s["map"]["rows"], s["map"]["columns"]) == (24, 24)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "int64", "bool", "complex64", "uint8"])
def test_every_dtype_has_a_summary(dtype):
    t = kobai.ones(3, 50).to(getattr(kobai, dtype))
    s = summary(t._data)
    assert s["dtype"] == dtype and float(s["max"]) == 1
    assert json.dumps(s, allow_nan=False)


def test_empty_and_scalar_values():
    assert summary(np.zeros((0, 3)))["data"] == []
    assert summary(np.float32(0.1))["data"] == [0.1]
    assert summary("text") is None
    assert summary(np.array(1 + 2j))["data"] == ["1+2j"] and summary(np.array(2**60))["data"] == [2**60]


def test_complex_scalars():
    a, b = leaf(1.0), leaf(2.0)
    d = describe(kobai.complex(a, b).abs())
    assert "1+2j" in next(n for n in d["nodes"] if n["op"] == "complex")["numbers"]


# ---- in the reader's language ----------------------------------------------------------------
def test_what_an_op_does_is_said_in_both_languages():
    d = describe(leaf([1.0, -2.0]).tanh())
    assert d["docs"][d["nodes"][1]["doc"]] == ["Hyperbolic tangent of each element.", "要素ごとの双曲線正接。"]


WORDS = re.compile(r"\b(the|of|each|with|where|and|to|at|over|along|from|by|is|else|for|without|if|times|itself|or)\b", re.I)


def test_every_op_has_a_japanese_description():
    """A docstring without English words is a formula, which needs none. src/kobai/viewer/docs_ja.py has them."""
    for module in pkgutil.iter_modules(kobai.ops.__path__):
        importlib.import_module(f"kobai.ops.{module.name}")
    for name in ("sparse.ops", "compat.tensorflow.rules"):
        importlib.import_module(f"kobai.{name}")
    ops = [cls for cls in registry.here() if cls.__module__.startswith("kobai.")]
    missing = {cls.__name__: doc for cls in ops if WORDS.search(doc := cls.__doc__.strip().split("\n")[0]) and cls.__name__ not in DOCS}
    assert len(ops) > 400 and not missing
    assert not DOCS.keys() - {cls.__name__ for cls in ops}
    assert all(re.search("[\u3040-\u30ff\u4e00-\u9fff]", text) for text in DOCS.values())
