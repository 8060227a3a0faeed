"""`x.why_no_grad()`: why `.grad` is None, or `requires_grad` False."""
from __future__ import annotations

from ..autograd.node import Freed, Node
from ..tensor import Tensor
from .errors import error
from .holders import live_nodes
from .numbers import place, source
from .tape import Names, node_of, nodes_before
from .told import Told, spoken, tell
from .written import assignment_of

_say = spoken({
    "has": ("{name} has a gradient, of shape {shape}.", "{name} には勾配があります (形 {shape})。"),
    "integer": ("{name} has dtype {dtype}, and only floating point and complex numbers have derivatives.\n  fix: write "
                "the numbers with a point, or {name}.float(), and then requires_grad=True.",
                "{name} の型は {dtype} です。微分できるのは浮動小数点数と複素数だけです。\n  対処: 小数点を付けて書くか "
                "{name}.float() で変換し、requires_grad=True を指定してください。"),
    "cut": ("{name} was cut off the graph by {how}, so no gradient comes here.",
            "{name} は {how} でグラフから切り離されたので、勾配は届きません。"),
    "block": ("{name} was computed inside `{block}` (line {at}), where nothing is recorded.",
              "{name} は `{block}` ({at} 行目) の中で計算されたので、記録されていません。"),
    "flag": ("{name} was made without requires_grad=True, and not from tensors that have it.",
             "{name} は requires_grad=True なしで作られ、それを持つテンソルから計算された値でもありません。"),
    "flag_fix": ("  fix: give it requires_grad=True when it is made, or call {name}.requires_grad_() before computing "
                 "with it.",
                 "  対処: 作るときに requires_grad=True を指定するか、計算に使う前に {name}.requires_grad_() を呼んでください。"),
    "cut_fix": ("  fix: leave that out where a gradient should flow.", "  対処: 勾配を流したいところでは使わないでください。"),
    "nonleaf": ("{name} is no leaf: it was computed by {node}, and backward() keeps gradients for leaves only.",
                "{name} は葉ではなく {node} で計算された値です。backward() が勾配を残すのは葉だけです。"),
    "nonleaf_fix": ("  fix: {name}.retain_grad() before backward(), or torch.autograd.grad(loss, {name}).",
                    "  対処: backward() の前に {name}.retain_grad() を呼ぶか、"
                    "torch.autograd.grad(loss, {name}) を使ってください。"),
    "retained": ("{name} keeps its gradient (retain_grad), but no backward() has come through it since.",
                 "{name} は勾配を残す設定 (retain_grad) ですが、その後 backward() が通っていません。"),
    "no_backward": ("{name} is used by what is on these lines, but backward() has not been called on the result:",
                    "{name} は次の行で使われていますが、その結果に対して backward() がまだ呼ばれていません:"),
    "backward_fix": ("  fix: loss.backward()", "  対処: loss.backward() を呼んでください。"),
    "elsewhere": ("backward() has gone through the graph that {name} is in, and still .grad is None: it was cleared "
                  "afterwards (zero_grad() sets .grad to None), or the pass was torch.autograd.grad(...) or "
                  "backward(inputs=...), which write no .grad here.",
                  "{name} を含むグラフで backward() は済んでいますが .grad は None です。その後に消された (zero_grad() は .grad を "
                  "None にします) か、torch.autograd.grad(...) や backward(inputs=...) のように .grad に書かない計算でした。"),
    "unused": ("{name} did not take part in computing {results}: no path of the graph leads from there to it.",
               "{name} は {results} の計算に使われていません。そこから {name} へ至る道がグラフにありません。"),
    "unused_fix": ("  fix: look whether the computation uses a copy ({name}.detach(), .data, float({name})), another "
                   "tensor of that name (it was assigned anew), or nothing of it.",
                   "  対処: 計算が写し ({name}.detach()、.data、float({name})) や、同じ名前に代入し直した別のテンソルを"
                   "使っていないか確かめてください。"),
    "alone": ("no graph that is alive uses {name}: nothing was computed from it while recording was on, or backward() was "
              "never called, or the graph is gone and zero_grad() has set .grad to None since.",
              "{name} を使うグラフは残っていません。記録中に計算に使われていない、backward() が呼ばれていない、"
              "またはグラフが解放された後に zero_grad() で .grad が None になりました。"),
    "made": ("  made at {place}\n        {text}", "  作られた行: {place}\n        {text}"),
    "cut_at": ("  cut at {place}\n        {text}", "  切り離した行: {place}\n        {text}"),
})


def why_no_grad(x, *, show=True) -> Told:
    """Print why `x.grad` is None, or why `x` does not require grad, with the lines that made it so.

    >>> w = kobai.tensor(2.0, requires_grad=True)
    >>> y = w * 3
    >>> kobai.why_no_grad(y, show=False).facts["reason"]
    'nonleaf'
    """
    if not isinstance(x, Tensor):
        raise error("argument-type",
                    TypeError(f"why_no_grad(): argument 'x' (position 1) must be Tensor, not {type(x).__name__}"),
                    what="x", kind=type(x), must="a tensor")
    names = Names()
    name = names.of_leaf.get(id(x)) or names.of_slot.get((x.grad_fn, x.output_nr)) or "x"
    if x._grad is not None:
        reason, lines = "has", [_say("has", name=name, shape=tuple(x._grad.shape))]
    elif not x.requires_grad:
        reason, lines = _not_recorded(x, name)
    elif x.grad_fn is not None:
        reason, lines = _inner(x, name)
    else:
        reason, lines = _leaf(x, name, names)
    return tell("\n".join(lines), show, reason=reason)


def _not_recorded(x, name):
    """The reason for requires_grad False."""
    made = assignment_of(x)
    lines = [_say("made", place=made.place, text=made.text)] if made else []
    if x._value.dtype.kind not in "fcV":
        return "integer", [_say("integer", name=name, dtype=x.dtype), *lines]
    cut = x.__dict__.get("_cut")
    if cut is not None:
        return "cut", [_say("cut", name=name, how=cut[0]), _say("cut_at", place=place(cut[1]), text=source(cut[1])),
                       _say("cut_fix")]
    if made and made.block:
        return "block", [_say("block", name=name, block=made.block[0], at=made.block[1]), *lines, _say("cut_fix")]
    if made and made.cuts:
        return "cut", [_say("cut", name=name, how=", ".join(made.cuts)), *lines, _say("cut_fix")]
    return "flag", [_say("flag", name=name), *lines, _say("flag_fix", name=name)]


def _inner(x, name):
    """The reason for a computed tensor's .grad being None."""
    made = _say("made", place=place(x.grad_fn.where), text=source(x.grad_fn.where))
    if x.retains_grad:
        return "retained", [_say("retained", name=name), made, _say("backward_fix")]
    return "nonleaf", [_say("nonleaf", name=name, node=x.grad_fn.name()), made, _say("nonleaf_fix", name=name)]


def _leaf(x, name, names):
    """The reason for a leaf's .grad being None: look at the graphs that are alive."""
    nodes = live_nodes()
    users = [n for n in nodes if any(e is x for e in n.edges)]
    if users:
        above = _leading_from(users, nodes)
        if any(isinstance(n.saved, Freed) for n in above):
            return "elsewhere", [_say("elsewhere", name=name)]
        where = list(dict.fromkeys(f"  {place(n.where)}\n        {source(n.where)}" for n in users))[:5]
        return "no_backward", [_say("no_backward", name=name), *where, _say("backward_fix")]
    results = [slot for t, slot in ((t, n) for t, n in _results(names)) if x not in _leaves(t)]
    if results:
        return "unused", [_say("unused", name=name, results=", ".join(results[:5])), _say("unused_fix", name=name)]
    return "alone", [_say("alone", name=name)]


def _results(names):
    """(tensor, name) of the single numbers the user holds that have a graph: losses, most likely."""
    for t in names.tensors.values():
        if t.grad_fn is not None and t._value.size == 1:
            yield t, names.of_slot.get((t.grad_fn, t.output_nr), "?")


def _leaves(t):
    return {node_of(e) for n in nodes_before([t._node]) for e in n.edges if isinstance(e, Tensor)}


def _leading_from(users, nodes) -> set:
    """The nodes whose results were computed from those of `users`, with these."""
    above = set(users)
    for node in sorted(nodes, key=lambda n: -n._order):  # as recorded: producers first
        if any(isinstance(node_of(e), Node) and node_of(e) in above for e in node.edges):
            above.add(node)
    return above
