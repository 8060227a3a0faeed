"""`kobai.coach(step)`: watch a few training steps and say which of the usual mistakes they make."""
from __future__ import annotations

from threading import get_ident

from ..autograd.mode import modes
from ..autograd.node import here
from ..nn import hooks
from ..optim import optimizer
from ..tensor import Tensor
from .lessons import LESSONS, Finding, Leaf, name_of_leaf
from .numbers import place, source
from .origin import modules_here
from .tape import Names
from .told import Told, spoken, tell
from .watch import Observer, watching

_say = spoken({
    "clean": ("coach: {steps} watched; none of the usual mistakes.", "coach: {steps}を観察しました。よくある間違いはありません。"),
    "head": ("coach: {steps} watched.", "coach: {steps}を観察しました。"),
    "steps": ("{n} steps", "{n} ステップ"), "passes": ("{n} backward passes", "backward {n} 回"),
    "zero_grad": (
        "Gradients pile up: {names} still had the gradient of the last step when the next was added.\n  fix: "
        "optimizer.zero_grad() (or w.grad = None) in each step, before backward().",
        "勾配がたまっています。{names} に前のステップの勾配が残ったまま、次の勾配が足されました。\n"
        "  対処: 各ステップの backward() の前に "
        "optimizer.zero_grad() (または w.grad = None) を呼んでください。"),
    "eval": (
        "{model} is evaluated (nothing is recorded) while its {kind} is in training mode, so the results are not those of "
        "the trained model.\n  fix: {model}.eval() before evaluating, {model}.train() after.",
        "{model} を記録なしで評価していますが、{kind} が学習モードのままなので、学習済みモデルの結果になりません。\n"
        "  対処: 評価の前に "
        "{model}.eval()、後に {model}.train() を呼んでください。"),
    "train": (
        "{model} is trained in evaluation mode: its {kind} does nothing, or does not learn.\n  fix: {model}.train() before "
        "the training loop (evaluation before it may have called eval()).",
        "{model} を評価モードのまま学習しています。{kind} が働きません。\n"
        "  対処: 学習ループの前に {model}.train() を呼んでください "
        "(その前の評価で eval() を呼んだままかもしれません)。"),
    "unused": (
        "No gradient ever comes to {names}: the loss does not depend on them.\n  fix: use them in forward, or remove them; "
        "look for detach(), .data or no_grad on the way to the loss.",
        "{names} に勾配が届きません。損失がこれらに依存していません。\n"
        "  対処: forward で使うか、取り除いてください。損失までの途中に "
        "detach()、.data、no_grad がないか確かめてください。"),
    "not_optimized": (
        "{names} get gradients but never change: no optimizer has them.\n  fix: give all parameters to the optimizer "
        "(model.parameters() after all layers are made), or requires_grad_(False) what shall stay.",
        "{names} は勾配を受け取りますが変化しません。どの optimizer にも渡されていません。\n"
        "  対処: すべての層を作った後の model.parameters() を "
        "optimizer に渡すか、固定するものは requires_grad_(False) にしてください。"),
    "hidden": (
        "{names} get gradients but never change: their layers are in a plain list or dict, and so {model}.parameters() does "
        "not have them.\n  fix: nn.ModuleList([...]) or nn.ModuleDict({{...}}) instead of the list or dict.",
        "{names} は勾配を受け取りますが変化しません。層が普通のリストや辞書に入っているので、{model}.parameters() に"
        "含まれていません。\n  対処: リストや辞書の代わりに nn.ModuleList([...]) や nn.ModuleDict({{...}}) を使ってください。"),
    "not_stepped": (
        "{names} get gradients, which are cleared again, but never change: the optimizer's step() is not called.\n  fix: "
        "optimizer.step() after backward().",
        "{names} は勾配を受け取り、それが消されるだけで、変化しません。optimizer.step() が呼ばれていません。\n"
        "  対処: backward() の後に optimizer.step() を呼んでください。"),
    "softmax": (
        "softmax comes before cross_entropy, which takes a softmax itself: learning is slow and stops early.\n  fix: give "
        "cross_entropy the scores as the last layer makes them.",
        "cross_entropy の前に softmax を使っています。cross_entropy は softmax を含むので、学習が遅くなり、早く止まります。\n"
        "  対処: 最後の層の"
        "スコアをそのまま cross_entropy に渡してください。"),
    "log_missing": (
        "nll_loss gets probabilities; it takes their logarithms.\n  fix: log_softmax instead of softmax, or cross_entropy on "
        "the scores.",
        "nll_loss に確率を渡していますが、受け取るのは確率の対数です。\n"
        "  対処: softmax の代わりに log_softmax を使うか、スコアを "
        "cross_entropy に渡してください。"),
    "sigmoid": (
        "sigmoid comes before binary_cross_entropy_with_logits, which takes a sigmoid itself.\n  fix: give it the scores.",
        "binary_cross_entropy_with_logits の前に sigmoid を使っています。この損失は sigmoid を含みます。\n"
        "  対処: スコアをそのまま渡してください。"),
    "broadcast": (
        "Shapes {a} and {b} are stretched to a table: each output is compared with the targets of all examples.\n  fix: "
        "output.squeeze(1) or target.unsqueeze(1), so that both have one shape.",
        "形 {a} と {b} が表の形に引き伸ばされ、各出力がすべての例の正解と比べられています。\n"
        "  対処: output.squeeze(1) か "
        "target.unsqueeze(1) で同じ形にしてください。"),
    "dead_relu": (
        "{dead} of {units} units of this ReLU{module} gave 0 for all of {examples} examples: no gradient passes them.\n  fix: "
        "a smaller learning rate, another initialisation, or LeakyReLU; look at the scale of the inputs.",
        "この ReLU{module} の {units} 個のうち {dead} 個は、{examples} 例すべてで 0 でした。そこには勾配が流れません。\n"
        "  対処: 学習率を"
        "下げる、初期化を変える、LeakyReLU を使う、または入力の大きさを確かめてください。"),
    "exploding": (
        "The loss went from {first} to {last} in {steps} steps: the steps are too large.\n  fix: a learning rate ten times "
        "smaller, normalised inputs, or clip_grad_norm_.",
        "損失が {steps} ステップで {first} から {last} になりました。ステップが大きすぎます。\n"
        "  対処: 学習率を 10 分の 1 にする、"
        "入力を正規化する、または clip_grad_norm_ を使ってください。"),
    "tiny_step": (
        "The parameters hardly move (by {moved} of their size) though gradients are up to {g}, and the loss stays at {first}"
        " ... {last}: the learning rate is too small.\n  fix: try one ten or a hundred times larger.",
        "勾配は最大 {g} ありますが、パラメータはほとんど動かず (大きさの {moved})、"
        "損失も {first} … {last} のままです。学習率が小さすぎます。\n"
        "  対処: 10 倍や 100 倍の学習率を試してください。"),
    "retention": (
        "Graphs of earlier steps stay alive, more with each step: {holder} keeps {graphs}.\n  fix: loss.item() for a log, "
        "state.detach() for the next step.",
        "前のステップのグラフが解放されず、ステップごとに増えています。{holder} が {graphs} 個を保持しています。\n"
        "  対処: 記録用には "
        "loss.item()、次のステップへは state.detach() を使ってください。"),
})


def coach(step=None, steps=10, *, show=True):
    """Run `step()` a few times and print which of the usual mistakes it makes; without `step`, a block to watch.

    It looks for: gradients that are never zeroed, a model evaluated in training mode or trained in evaluation
    mode, parameters without gradient or without optimizer, an optimizer that never steps, softmax before
    cross_entropy, a loss that broadcasts (N, 1) against (N,), dead ReLUs, steps far too large or too small, graphs
    of earlier steps kept alive.

    Args:
        step: a function that does one training step (with zero_grad, backward and the update); the steps really
            train. Left out: `with kobai.coach():` around a training loop.
        steps: how often to call it; most checks need at least 6.

    Returns the report; `report.facts["findings"]` has the kinds.

    >>> w = kobai.tensor([1.0], requires_grad=True)
    >>> opt = kobai.optim.SGD([w], lr=0.1)
    >>> def step():
    ...     (w * w).sum().backward()
    ...     opt.step()
    >>> [f.kind for f in kobai.coach(step, show=False).facts["findings"]]
    ['zero_grad']
    """
    watch = _Coach(show)
    if step is None:
        return watch
    with watch:
        for _ in range(steps):
            step()
            watch.stepped()
        watch.show = False
    watch.steps = steps
    return watch.report(show)


class _Coach(Observer):
    """Turns what happens into the events that the lessons look at."""

    def __init__(self, show):
        self.show, self.steps, self.passes = show, 0, 0
        self.leaves: dict[int, Leaf] = {}
        self.optimized: set[int] = set()
        self._names: dict[int, str] = {}
        self._order, self._seen = 0, set()
        self._asked, self._all = -1, {}
        self.lessons = [kind(self) for kind in LESSONS]
        self.told: Told | None = None

    # ---- on and off ------------------------------------------------------------------------
    def __enter__(self):
        self._hooked = hooks.Hooks._hooked
        self._handles = [hooks.register_module_forward_pre_hook(self._called),
                         hooks.register_module_forward_hook(self._returned),
                         optimizer.register_optimizer_step_post_hook(self._optimized)]
        self._watching = watching(self)
        self._watching.__enter__()
        return self

    def __exit__(self, kind, *exc):
        self._watching.__exit__(kind, *exc)
        for handle in self._handles:
            handle.remove()
        hooks.Hooks._hooked = self._hooked
        if kind is None and self.show:
            self.report(True)

    # ---- events ----------------------------------------------------------------------------
    def _called(self, module, args):
        if get_ident() != self._watching.thread:
            return  # the gradients that come to it there are not seen either
        running = modules_here()
        root = running[-1] if running else module
        self._name(root)
        for lesson in self.lessons:
            lesson.called(module, root)

    def _returned(self, module, args, output):
        if get_ident() != self._watching.thread:
            return
        running = modules_here()
        for lesson in self.lessons:
            lesson.returned(module, running[-1] if running else module, output)

    def _optimized(self, opt, args, kwargs):
        self.optimized.update(id(p) for group in opt.param_groups for p in group["params"])

    def recorded(self, node, tensors, values, result):
        for lesson in self.lessons:
            lesson.recorded(node, tensors, values, result)

    def passed(self, node, g, out):
        if modes.partial:
            return  # autograd.grad: nothing is added to .grad
        if node._order <= self._order or not self._seen:  # nodes come in the order of recording, last first
            self.passes += 1
            self._seen = {0}
            for lesson in self.lessons:
                lesson.began(node)
        self._order = node._order
        for edge, h in zip(node.edges, out):
            if isinstance(edge, Tensor) and h is not None and hasattr(edge, "_data") and not edge.is_sparse:
                self._arrive(edge, h, node)
        for lesson in self.lessons:
            lesson.passed(node, g, out)

    def _arrive(self, leaf, h, node):
        known = self.leaves.get(id(leaf))
        if known is None:
            known = self.leaves[id(leaf)] = Leaf(leaf, self._name_of(leaf))
        if id(leaf) not in self._seen and not hasattr(h, "_value"):
            self._seen.add(id(leaf))
            known.arrive(h, node.where, self.passes)

    def _name_of(self, leaf) -> str:
        """The leaf's name; the program is asked for all of its names once in each backward pass that brings new ones."""
        if self._asked != self.passes:
            self._asked, self._all = self.passes, Names().of_leaf  # (Names itself would keep the loss's graph alive)
        return name_of_leaf(leaf, self._all)

    def stepped(self):
        self.steps += 1
        for lesson in self.lessons:
            lesson.stepped()

    # ---- what lessons ask ------------------------------------------------------------------
    def here(self):
        return here(1)

    def running(self) -> str:
        """The path of the innermost running module."""
        running = modules_here()
        if not running:
            return ""
        path = next((n for n, m in running[-1].named_modules() if m is running[0]), "")
        return self._name(running[-1]) + ("." + path if path else "")

    def updates(self, p) -> int:
        return self.leaves[id(p)].updates if id(p) in self.leaves else 0

    def module_name(self, module) -> str:
        return self._names.get(id(module)) or type(module).__name__

    def _name(self, root) -> str:
        if id(root) not in self._names:
            self._names[id(root)] = Names().modules.get(id(root)) or type(root).__name__
        return self._names[id(root)]

    # ---- the report ------------------------------------------------------------------------
    def report(self, show=True) -> Told:
        """What was found, printed unless told not to."""
        for leaf in self.leaves.values():
            leaf.look()
        found: list[Finding] = [f for lesson in self.lessons for f in lesson.findings()]
        seen = _say("steps", n=self.steps) if self.steps else _say("passes", n=self.passes)
        if not found:
            self.told = tell(_say("clean", steps=seen), show, findings=[])
            return self.told
        lines = [_say("head", steps=seen)]
        for i, f in enumerate(found, 1):
            facts = {**f.facts, "module": f" ({m})" if (m := f.facts.get("module")) else ""}
            text = _say(f.kind, **facts).replace("\n  ", "\n     ")
            lines.append(f"  {i}. {text}")
            if f.where is not None:
                lines.append(f"     {place(f.where)}    {source(f.where)}")
        self.told = tell("\n".join(lines), show, findings=found)
        return self.told
