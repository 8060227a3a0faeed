"""`kobai.why_nan(step)`: the first operation, forward or backward, that made a NaN or an infinity."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..autograd.node import here
from ..op import Elementwise
from ..tensor import Tensor
from .anew import tape_of
from .errors import error
from .formula import applied, formula
from .numbers import place, shown, source
from .tape import Names
from .told import Told, spoken, tell
from .watch import Observer, watching

_FEW = 40  # events that are kept

_say = spoken({
    "clean": ("Every value and every gradient was a finite number.", "値も勾配もすべて有限の数でした。"),
    "forward": ("The first {what} is made in the forward pass, by {op}:", "最初の {what} は順方向の {op} で生じています:"),
    "carried": ("The first {what} is not made by an operation: it comes in with {names}, which {op} uses.",
                "最初の {what} は演算で生じたものではなく、{op} が使う {names} に初めから含まれています。"),
    "backward": ("The forward pass is finite. The first {what} is made in the backward pass, by {op}, recorded here:",
                 "順方向はすべて有限です。最初の {what} は逆方向の {op} で生じています。記録された行:"),
    "update": ("Values and gradients were finite, but the update made {names} {what}. The step is too large: the greatest "
               "gradient was {g}. Use a smaller learning rate, or torch.nn.utils.clip_grad_norm_.",
               "値も勾配も有限でしたが、更新で {names} が {what} になりました。ステップが大きすぎます (勾配の最大値 {g})。学習率を"
               "小さくするか、torch.nn.utils.clip_grad_norm_ を使ってください。"),
    "before": ("Before the step, {names} already held {what}: an earlier step made it. Run why_nan from fresh parameters.",
               "ステップの前から {names} に {what} がありました。もっと前のステップで生じています。パラメータを作り直してから "
               "why_nan を実行してください。"),
    "input": ("  {name} = {value}", "  {name} = {value}"),
    "at": ("  at {index}: {formula}", "  位置 {index}: {formula}"),
    "grad": ("  gradient that came in: {g}", "  届いた勾配: {g}"),
    "rule": ("  what it is multiplied with or put into: {rule}", "  掛ける (代入する) 微分: {rule}"),
    "earlier": ("  its {inf} was made before, by {op}:", "  その {inf} は、先に {op} で生じました:"),
    "then": ("From there it is carried on by {count} operations.", "そこから先は {count} 個の演算が受け渡しています。"),
    "fix": ("  fix: {fix}", "  対処: {fix}"),
    "freed": ("backward() has freed this graph; give why_nan the function that computes the step: why_nan(step).",
              "このグラフは backward() で解放されています。ステップを計算する関数を why_nan(step) のように渡してください。"),
})

_FIXES = {
    "Log": ("log needs numbers above 0: torch.log(x + eps) or x.clamp(min=eps); of a softmax use log_softmax.",
            "log には正の数が必要です。torch.log(x + eps) や x.clamp(min=eps)、softmax の log なら log_softmax を使います。"),
    "Sqrt": ("sqrt needs numbers of at least 0, and its derivative at 0 is infinite: torch.sqrt(x + eps).",
             "sqrt には 0 以上の数が必要で、0 での微分は無限大です。torch.sqrt(x + eps) とします。"),
    "Div": ("a division by 0: x / (y + eps), or torch.where with a safe divisor.",
            "0 で割っています。x / (y + eps) か、安全な除数を torch.where で選びます。"),
    "Exp": ("exp overflows above 88 (float32): subtract the maximum first, or use softmax, logsumexp, softplus.",
            "exp は float32 では 88 を超えると溢れます。先に最大値を引くか、softmax、logsumexp、softplus を使います。"),
    "PowNumber": ("a power of a negative number or of 0 with this exponent: keep x away with clamp(min=eps).",
                  "負の数や 0 のこの指数での累乗です。clamp(min=eps) で避けます。"),
    "Pow": ("a power of a negative number or of 0 with this exponent: keep x away with clamp(min=eps).",
            "負の数や 0 のこの指数での累乗です。clamp(min=eps) で避けます。"),
    "LinalgVectorNorm": ("a norm has no derivative at 0: add eps before the root.",
                         "ノルムは 0 で微分できません。根号の前に eps を足します。"),
    "Softmax": ("a row of -inf only has no softmax: leave at least one entry of each row unmasked.",
                "すべてが -inf の行には softmax がありません。各行に少なくとも一つはマスクしない要素を残します。"),
    "": ("keep the inputs away from where this operation is infinite or not defined (eps, clamp), before it, not after.",
         "演算が無限大や未定義になる値を、演算の後ではなく前に避けます (eps や clamp)。"),
}
_FIXES["LogSoftmax"], _FIXES["Rsqrt"], _FIXES["Reciprocal"] = _FIXES["Softmax"], _FIXES["Sqrt"], _FIXES["Div"]
_fix = spoken(_FIXES)


def why_nan(loss_or_step, *args, show=True, **kwargs) -> Told:
    """Print the first operation that made a NaN or an infinity, with its line, its inputs, and what they were.

    Args:
        loss_or_step: a function that computes a step (it is called once with `args`; it may call backward() and
            an optimizer), or a loss whose graph is still there.

    An operation *makes* a NaN if its inputs were finite; others only carry it on. `facts["kind"]` is "forward",
    "backward", "carried", "update", "before" or "clean"; `facts["op"]` the operation's name.

    >>> w = kobai.tensor([1.0, 0.0], requires_grad=True)
    >>> told = kobai.why_nan(lambda: (w.log() * w).sum(), show=False)
    >>> told.facts["kind"], told.facts["op"]
    ('forward', 'Mul')
    """
    if isinstance(loss_or_step, Tensor):
        return _of_loss(loss_or_step, show)
    if not callable(loss_or_step):
        raise error("argument-type",
                    TypeError(f"why_nan(): argument must be a Tensor or a function, not {type(loss_or_step).__name__}"),
                    what="loss_or_step", kind=type(loss_or_step), must="a tensor or a function")
    seen = _Seen()
    with watching(seen, forwards=True):
        loss_or_step(*args, **kwargs)
    return seen.told(show)


class _Event(NamedTuple):
    """An op whose result, or whose outgoing gradient, is not all finite."""

    op: object
    where: tuple
    inputs: list          # [(name, array)]
    result: object
    made: bool            # its inputs had nothing of the kind
    nan: bool
    node: object = None   # in the backward pass


class _Seen(Observer):
    """Collects events in both directions, and the leaves that took part."""

    def __init__(self):
        self.forward, self.back, self.leaves, self.count = [], [], {}, 0
        self.greatest, self.ends_bad = 0.0, False
        self.names, self.asked = {}, 0

    def computed(self, op, arrays, result):
        results = result if isinstance(result, tuple) else (result,)
        self.ends_bad = not all(map(_finite, results))
        if not self.ends_bad:
            return
        self.count += 1
        if len(self.forward) < _FEW:
            names = Names()
            nan = any(map(_has_nan, results))
            made = not any(_has_nan(a) if nan else not _finite(a) for a in arrays)
            inputs = [(names.of_array.get(id(a)) or _input(op, i), a) for i, a in enumerate(arrays) if a is not None]
            self.forward.append(_Event(op, here(2), inputs, result, made, nan))

    def recorded(self, node, tensors, values, result):
        for t in tensors:
            if isinstance(t, Tensor) and t._node is None and id(t) not in self.leaves:
                self.leaves[id(t)] = t, _finite(getattr(t, "_data", None)), self._name_of(t)

    def _name_of(self, leaf):
        """The leaf's name. The program is asked again for a leaf it did not know, but not for each of thousands."""
        if id(leaf) not in self.names and self.asked < _FEW:
            self.asked, self.names = self.asked + 1, Names().of_leaf
        return self.names.get(id(leaf))

    def passed(self, node, g, out):
        sent = [h for h in out if isinstance(h, (np.ndarray, np.generic))]
        self.greatest = max([self.greatest, *[float(np.abs(h).max()) for h in sent if h.size and h.dtype.kind == "f"]])
        if all(map(_finite, sent)):
            return
        self.count += 1
        nan = any(map(_has_nan, sent))
        came = g if isinstance(g, tuple) else (g,)
        made = not any(_has_nan(v) if nan else not _finite(v) for v in came)
        if len(self.back) < _FEW:
            kept = dict(zip(getattr(node.vjp, "asks", ()), node.saved)) if isinstance(node.saved, tuple) else {}
            inputs = [(k, v) for k, v in kept.items() if isinstance(v, (np.ndarray, np.generic))]
            self.back.append(_Event(node.op, node.where, [("g", came[0]), *inputs], sent, made, nan, node))

    # ---- the verdict -----------------------------------------------------------------------
    def told(self, show):
        bad = [(t, name) for t, ok, name in self.leaves.values() if not ok]
        event = _first(self.forward)
        if event is None and self.forward and any(t.requires_grad for t, _ in bad):
            event = self.forward[0]
        if event is not None and (event.nan or bad or self.ends_bad or self.back):  # else an infinity that goes away: a mask
            if bad and not event.made:
                return self._named("before" if any(t.requires_grad for t, _ in bad) else "carried", bad, event, show)
            return self._forward(event, show)
        event = _first(self.back)
        if event is not None:
            return self._backward(event, show)
        after = [(t, name) for t, ok, name in self.leaves.values() if ok and not _finite(getattr(t, "_data", None))]
        if after:
            what = "NaN" if any(_has_nan(t._data) for t, _ in after) else "inf"
            names = ", ".join(name or str(tuple(t.shape)) for t, name in after)
            return tell(_say("update", names=names, what=what, g=f"{self.greatest:.4g}"), show, kind="update", op="")
        return tell(_say("clean"), show, kind="clean", op="")

    def _named(self, kind, bad, event, show):
        what = _what(event)
        names = ", ".join(name or f"leaf{tuple(t.shape)}" for t, name in bad)
        lines = [_say(kind, names=names, what=what, op=_name(event))]
        lines += [] if kind == "before" else _lines_of(event)
        return tell("\n".join(lines), show, kind=kind, op=_name(event))

    def _forward(self, event, show):
        if not event.made:
            what = _what(event)
            names = ", ".join(n for n, a in event.inputs if not _finite(a))
            lines = [_say("carried", what=what, names=names, op=_name(event)), *_lines_of(event)]
            return tell("\n".join(lines), show, kind="carried", op=_name(event))
        lines = [_say("forward", what=_what(event), op=_name(event)), *_lines_of(event), *_example(event)]
        lines += _source_of_inf(event, self.forward) or [_say("fix", fix=_advice(event))]
        if self.count > 1:
            lines.append(_say("then", count=self.count - 1))
        return tell("\n".join(lines), show, kind="forward", op=_name(event), where=place(event.where))

    def _backward(self, event, show):
        first = next((e for e in self.back if not e.nan and e.made), event)
        if event.nan and first is not event:  # an infinity came first, and 0 * inf made the NaN
            event = first
        lines = [_say("backward", what=_what(event), op=event.node.name()), *_lines_of(event)[:1]]
        lines.append(_say("grad", g=shown(event.inputs[0][1])))
        lines += [_say("input", name=n, value=shown(v)) for n, v in event.inputs[1:] if n not in ("g",)]
        for i in range(len(event.node.edges) if event.op is not None else 0):
            rule = formula(event.op, i) if event.node.edges[i] is not None else None
            if rule is not None:
                lines.append(_say("rule", rule=rule.text))
        lines.append(_say("fix", fix=_advice(event)))
        return tell("\n".join(lines), show, kind="backward", op=_name(event), where=place(event.where))


def _of_loss(loss, show):
    """The same for a loss whose graph still exists: its values, then a backward pass of its own."""
    tape, _ = tape_of(loss)
    if tape.freed:
        return tell(_say("freed"), show, kind="freed", op="")
    seen = _Seen()
    for node in tape.nodes:
        seen.recorded(node, [e for e in node.edges if isinstance(e, Tensor)], (), None)
        value, inputs = tape.values.get((node, 0)), tape.inputs(node)
        if value is None or _finite(value):
            continue
        seen.count += 1
        seen.ends_bad = node is tape.nodes[-1]
        nan = _has_nan(value)
        made = not any(_has_nan(a) if nan else not _finite(a) for a in inputs)
        pairs = [(tape.names.of_array.get(id(a)) or _input(node.op, i), a) for i, a in enumerate(inputs) if a is not None]
        seen.forward.append(_Event(node.op, node.where, pairs, value, made, nan))
    if not seen.forward:
        for node, _, g, out in tape.steps():
            seen.passed(node, g, out)
    return seen.told(show)


# ---- words -----------------------------------------------------------------------------------
def _first(events):
    """The event that counts: the first that made a NaN, else the first NaN, else the first infinity that was made."""
    nans = [e for e in events if e.nan]
    return next((e for e in nans if e.made), nans[0] if nans else next((e for e in events if e.made), None))


def _what(event):
    return "NaN" if event.nan else "inf"


def _name(event):
    return type(event.op).__name__ if event.op is not None else event.node.name()


def _input(op, i):
    names = getattr(op, "inputs", ())
    return names[min(i, len(names) - 1)] if names else f"input {i}"


def _lines_of(event):
    lines = [f"  {place(event.where)}    {source(event.where)}"]
    return lines + [_say("input", name=n, value=_summary(v)) for n, v in event.inputs if event.node is None]


def _summary(v):
    text = shown(v)
    if getattr(v, "size", 0) > 6 and v.dtype.kind == "f":
        nan, inf = int(np.isnan(v).sum()), int(np.isinf(v).sum())
        good = v[np.isfinite(v)]
        text = f"{v.shape} {good.min():.4g} ... {good.max():.4g}" if good.size else f"{v.shape}"
        text += f", {nan} NaN" if nan else ""
        text += f", {inf} inf" if inf else ""
    return text


def _example(event):
    """One element of an elementwise op, written out: `at [2]: log(-1) = nan`."""
    y = event.result
    if not isinstance(event.op, Elementwise) or isinstance(y, tuple) or event.op.variadic:
        return []
    bad = np.argwhere(np.isnan(y) if event.nan else ~np.isfinite(y))
    if not len(bad):
        return []
    index = tuple(int(i) for i in bad[0])
    values = [shown(np.broadcast_to(v, y.shape)[index]) for _, v in event.inputs]
    if len(values) != len(event.op.inputs):
        return []
    return [_say("at", index=list(index), formula=f"{applied(event.op, values)} = {shown(np.asarray(y)[index])}")]


def _source_of_inf(event, events):
    """If an infinity went into the op that made the NaN: who made that."""
    for _, v in event.inputs:
        if event.nan and isinstance(v, np.ndarray) and np.isinf(v).any():
            maker = next((e for e in events if e.result is v and e is not event), None)
            if maker is not None:
                return [_say("earlier", inf="inf", op=_name(maker)), *["  " + x for x in _lines_of(maker)],
                        *["  " + x for x in _example(maker)], _say("fix", fix=_advice(maker))]
    return []


def _advice(event):
    name = _name(event)
    return _fix(name if name in _FIXES else "")


def _floats(v):
    return isinstance(v, (np.ndarray, np.generic)) and v.dtype.kind in "fc"


def _finite(v):
    return not _floats(v) or bool(np.isfinite(v).all())


def _has_nan(v):
    return _floats(v) and bool(np.isnan(v).any())
