"""What the texts of the catalogue are filled with: names, shapes and lines of the failing program."""
from __future__ import annotations

import itertools

import numpy as np

from .. import dtypes
from ..autograd.mode import modes
from ..autograd.node import Freed
from .frames import name_of
from .language import language


def gather(code, info):
    """The facts for one error, as a dict of strings."""
    facts = {}
    tensor = info.get("tensor")
    if tensor is not None:
        facts |= _of_tensor(tensor)
    if "node" in info:
        facts |= _of_node(info["node"])
    if "shapes" in info:
        facts |= _of_shapes(info["shapes"])
    if "gradient" in info:
        facts["gradient_shape"] = str(info["gradient"].shape)
    a, b = info.get("a", info.get("input")), info.get("b", info.get("weight"))
    if hasattr(a, "shape") and hasattr(b, "shape"):
        facts |= _of_pair(a, b, transposed="weight" in info)
    for key in ("have", "want"):
        if key in info:
            facts[key] = str(list(info[key]))
    facts["position"] = str(info.get("position", 0))
    if "what" in info:
        facts["what"] = str(info["what"])
    for key, value in info.items():  # what the text names as it is
        if isinstance(value, (str, int, float)):
            facts[key] = str(value)
    if facts.get("got") == "ndarray":
        facts["got"] = "numpy.ndarray"
    if code == "nan-gradient":
        facts["origin"] = _nan_origin(info["node"])
    if code == "inplace-saved":
        from .changed import facts_of  # noqa: PLC0415 (only a mistake needs it)
        facts |= facts_of(info["node"])
    if code == "no-grad-fn":
        facts["why"] = _why_no_history(tensor)
    return facts


_LONG = 60  # characters of a value that an error shows


def shown(value, written=False):
    """A fact as text: a shape as (2, 3), a class by its name, a list as `a, b`; `written`: as Python writes it."""
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, np.dtype):
        return f"torch.{value.name}"
    if isinstance(value, list) and not written:
        return ", ".join(map(repr, value))
    if isinstance(value, tuple) and not written:
        return str(tuple(value))
    text = repr(value) if written else str(value)
    return text if not written or len(text) <= _LONG else text[:_LONG] + "..."


def _of_tensor(t):
    node = getattr(t, "_node", None)
    node = getattr(node, "node", node)
    count = 1
    for s in t.shape:
        count *= s
    name = name_of(t)
    nameless = "このテンソル" if language() == "ja" else "the tensor"
    return {"name": name or nameless, "var": name or "y", "shape": str(t.shape), "dtype": str(t.dtype), "count": str(count),
            "node": node.name() if node is not None else "no operation"}


def _of_node(node):
    return {"node": node.name()}


def places(code, info):
    """Other lines that matter, as (what happened there, where): where a value was saved, changed, cut off."""
    node, tensor = info.get("node"), info.get("tensor")
    found = []
    if node is not None:
        found.append(("saved" if code == "inplace-saved" else "recorded", node.where))
        if isinstance(node.saved, Freed):
            found.append(("first", node.saved.where))
        elif code == "inplace-saved":
            found.append(("changed", _changed_at(node)))
    if code == "no-grad-fn" and "_cut" in getattr(tensor, "__dict__", ()):
        found.append(("cut", tensor.__dict__["_cut"][1]))
    return [(what, where) for what, where in found if where is not None]


def _changed_at(node):
    """Where the memory of a saved value was last changed."""
    from .changed import overwritten  # noqa: PLC0415 (only a mistake needs it)
    found = overwritten(node)
    return found and found.cell[1]


def _nan_origin(node):
    """Whether the NaN was there in the forward pass already."""
    values = node.saved if isinstance(node.saved, tuple) else ()
    bad = [v for v in values if isinstance(v, (np.ndarray, np.generic)) and v.dtype.kind == "f" and np.isnan(v).any()]
    if language() == "ja":
        return "順方向の計算ですでに NaN がありました" if bad else "ここで生じました"
    return "a NaN was there in the forward pass already" if bad else "it arose here"


def _of_shapes(shapes):
    for a, b in itertools.combinations(shapes, 2):  # of several the first two that do not go together
        for i in range(1, max(len(a), len(b)) + 1):
            x, y = (s[-i] if i <= len(s) else 1 for s in (a, b))
            if x != y and 1 not in (x, y):
                dim = max(len(a), len(b)) - i
                return {"a_size": str(x), "b_size": str(y), "dim": str(dim), "shapes": _both((a, b))}
    return {"a_size": "?", "b_size": "?", "dim": "?", "shapes": _both(shapes)}


def _both(shapes):
    return (" と " if language() == "ja" else " and ").join(str(tuple(s)) for s in shapes)


def _of_pair(a, b, transposed):
    """Two factors; of a layer the weight stands transposed in the product."""
    sa, sb = tuple(a.shape), tuple(b.shape)
    rows = 1
    for s in sa[:-1]:
        rows *= s
    left = (rows, sa[-1] if sa else 1)
    right = (sb[-1], sb[-2] if len(sb) > 1 else 1) if transposed else (sb[-2] if len(sb) > 1 else sb[0], sb[-1]) \
        if sb else (1, 1)
    return {"a_rows": str(left[0]), "a_cols": str(left[1]), "b_rows": str(right[0]), "b_cols": str(right[1]),
            "a_shape": str(sa), "b_shape": str(sb), "input_shape": str(sa), "weight_shape": str(sb),
            "a_dtype": str(a.dtype), "b_dtype": str(b.dtype), "a_type": dtypes.type_word(a),
            "b_type": dtypes.type_word(b), "a_name": dtypes.c_name(a), "b_name": dtypes.c_name(b)}


def _why_no_history(t):
    ja = language() == "ja"
    if "_cut" in getattr(t, "__dict__", ()):
        how = t.__dict__["_cut"][0]
        return f"{how} で切り離されました" if ja else f"it was cut off by {how}"
    if not modes.grad:
        return "torch.no_grad() の中です" if ja else "recording is off here (torch.no_grad())"
    if t._value.dtype.kind not in "fcV":
        return f"型 {t.dtype} は微分できません" if ja else f"dtype {t.dtype} has no derivative"
    return "requires_grad=True のテンソルから計算されていないか、途中でグラフが切れています" if ja else \
        "none of the tensors it was computed from had requires_grad=True, or the graph was cut on the way"
