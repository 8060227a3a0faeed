"""The base class of all optimisers: parameter groups, state, checkpoints, hooks.

An optimiser is a subclass with one formula, `update`: from a parameter, its gradient and the
values kept from the last step it gives the new parameter and the new values. The formula is plain
arithmetic, so it computes on NumPy arrays (runner.py calls it there), on Tensors
(`differentiable=True`) and on traced values (the compiler).
"""
from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from copy import deepcopy
from itertools import chain
from types import MappingProxyType
from typing import Any

import numpy as np

from ..autograd.mode import enable_grad, modes
from ..autograd.node import Hook
from ..diagnose import error
from ..dtypes import float64, get_default_dtype
from ..tensor import Tensor, wrap
from .runner import Runner, plain

_HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks",
          "_optimizer_state_dict_pre_hooks", "_optimizer_state_dict_post_hooks",
          "_optimizer_load_state_dict_pre_hooks", "_optimizer_load_state_dict_post_hooks")
_global_pre_hooks: OrderedDict = OrderedDict()
_global_post_hooks: OrderedDict = OrderedDict()


class _Required:
    """Marks a hyperparameter that every parameter group has to give."""

    def __repr__(self):
        return "<required parameter>"


required = _Required()


class Optimizer:
    """Base class of optimisers. To write one, say what it keeps and how it updates.

    Class attributes
        counters: names of numbers kept for each parameter; the first, "step", counts steps.
        elementwise: `update` treats each element by itself, so parameters may be cut and joined.
        sparse_hint: what to use instead when a gradient is sparse.
    Methods to write
        arrays(h): names of the arrays kept for each parameter, given the hyperparameters `h`.
        initial(h, name): what such an array is filled with at first (0); None for "nothing yet".
        update(h, p, g, *counters, *arrays): the formula. Returns the new p and the new values of
            all counters but the step count and of all arrays. It must not write into its inputs.

    Differs from PyTorch: float16 and bfloat16 parameters are updated in float32 arithmetic and rounded
    once, and `capturable=True` works on every device.

    >>> import kobai
    >>> from kobai.optim.formula import m
    >>> class SignSGD(kobai.optim.Optimizer):
    ...     def update(self, h, p, g):
    ...         return (p - h.lr * m.sign(g),)
    >>> w = kobai.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = SignSGD([w], dict(lr=0.5))
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([ 0.5000, -1.5000], requires_grad=True)
    """

    counters: tuple[str, ...] = ()
    elementwise = True
    sparse_hint = ""
    # Optimisers around another one often leave out super().__init__(); PyTorch's steps do not need it.
    _optimizer_step_pre_hooks: Any = MappingProxyType({})
    _optimizer_step_post_hooks: Any = MappingProxyType({})

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):  # the base's step calls hooks itself
            cls.step = _with_hooks(vars(cls)["step"])

    def __init__(self, params, defaults):
        self.defaults = defaults
        for name in _HOOKS:
            setattr(self, name, OrderedDict())
        self._opt_called = False
        self._runners: dict[int, Runner] = {}
        self.state: defaultdict = defaultdict(dict)
        self.param_groups: list[dict] = []
        if isinstance(params, Tensor):
            raise error("optimizer-tensor", got=_typename(params))
        if callable(params) and not hasattr(params, "__iter__"):
            raise error("params-not-called", got=type(params).__name__)
        groups = list(params)
        if not groups:
            raise error("optimizer-empty")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # ---- the formula ---------------------------------------------------------------------
    def arrays(self, h) -> tuple[str, ...]:
        return ()

    def initial(self, h, name):
        return 0.0

    def neutral(self, h, name):
        """Where `initial` gives None: a value with which the formula gives what it gives without, or None."""
        return None

    def update(self, h, p, g, *kept):
        raise error("method-missing", NotImplementedError(f"{type(self).__name__} does not implement step"),
                    cls=type(self), what="step",
                    fix="write `def step(self, closure=None)` in {cls}: it changes the parameters in self.param_groups.")

    def update_sparse(self, p, grad, h):
        """The update for a sparse gradient; most formulas are about all elements, so they refuse."""
        raise error("layout",
                    RuntimeError(f"{type(self).__name__} does not support sparse gradients{self.sparse_hint}"),
                    name=type(self),
                    why="{name} changes all elements in each step, and a sparse gradient names only some rows.",
                    fix="use SparseAdam or SGD, or a dense gradient: nn.Embedding without sparse=True.")

    def step(self, closure=None):
        """Update all parameters that have a gradient; returns what `closure` (optional) returned."""
        if self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks or _global_pre_hooks \
                or _global_post_hooks:
            args = (self,) if closure is None else (self, closure)
            return _call_hooked(Optimizer._step, args, {})
        return self._step(closure)

    def _step(self, closure=None):
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._opt_called = True
        runners = self._runners
        for group in self.param_groups:
            try:
                runner = runners[id(group)]
            except KeyError:
                runner = runners[id(group)] = Runner(self, group)
            if modes.trace is None:
                runner.step()
            else:
                modes.trace.optimizer(self, runner)
        return loss

    def _state_of(self, p, h, neutral=False):
        """What is kept for a parameter; what is missing is made, with `neutral` also what the first step would make."""
        kept, arrays = self.state[p], self.arrays(h)
        if len(kept) < len(self.counters) + len(arrays):
            for name in self.counters:
                if name not in kept:
                    kept[name] = _number(self.initial(h, name))
            for name in arrays:
                value = self.initial(h, name)
                if value is None and neutral:
                    value = self.neutral(h, name)
                if value is not None and name not in kept:
                    kept[name] = _full_like(p, value)
        return kept

    # ---- groups --------------------------------------------------------------------------
    def add_param_group(self, param_group):
        """Add parameters with options of their own, as {"params": [...], "lr": 0.01}."""
        if not isinstance(param_group, dict):
            raise error("argument-type", TypeError(f"param_group must be a dict, but got {type(param_group)}"),
                        what="param_group", kind=type(param_group), must="a dict",
                        fix="write optimizer.add_param_group({{'params': net.head.parameters(), 'lr': 0.01}}).")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise error("argument-type",
                        TypeError("optimizer parameters need to be organized in ordered collections, but the ordering of "
                                  "tensors in sets will change between runs. Please use a list instead."),
                        what="params", kind=type(params), must="a list or tuple of tensors")
        _take_names(param_group, list(params))
        for p in param_group["params"]:
            self._check_param(p)
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise error("argument-missing",
                            ValueError("parameter group didn't specify a value of required optimization parameter "
                                       f"{name}"),
                            name=name, cls=type(self),
                            why="{cls} has no value for {name}: neither the group nor the optimizer was given one.",
                            fix="write {name}=0.01 behind the parameters, or {{'params': [...], '{name}': 0.01}} in "
                                "each group.")
            param_group.setdefault(name, default)
        self._check_disjoint(param_group)
        self.param_groups.append(param_group)

    def _check_param(self, p):
        if not isinstance(p, Tensor):
            raise error("optimizer-what", got=_typename(p))
        if not self.defaults.get("differentiable") and not (p.is_leaf or p.retains_grad):
            raise error("optimizer-nonleaf")

    def _check_disjoint(self, new):
        params = set(new["params"])
        if len(params) != len(new["params"]):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will "
                "cause an error; see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=4)
        for group in self.param_groups:
            if ("param_names" in new) != ("param_names" in group):
                how = "with names" if "param_names" in new else "without names"
                raise error("argument-value",
                            ValueError("all optimizer param groups should be with/without names. cannot add param "
                                       f"group {how} to the optimizer"),
                            why="some groups name their parameters, and others do not.",
                            fix="write all groups with net.named_parameters(), or all with net.parameters().")
            if not params.isdisjoint(group["params"]):
                raise error("argument-value", ValueError("some parameters appear in more than one parameter group"),
                            why="a parameter is in two groups, and would be changed twice in each step.",
                            fix="leave it out of one of them: [p for p in net.parameters() if p is not w].")

    def zero_grad(self, set_to_none=True):
        """Forget the gradients of all parameters, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    if modes.trace is not None:
                        modes.trace.touch(p, True)
                    p._grad = None
                elif (g := p.grad) is not None:
                    if g.grad_fn is not None:
                        g.detach_()
                    elif g.requires_grad:
                        g.requires_grad_(False)
                    g.zero_()

    # ---- checkpoints ---------------------------------------------------------------------
    def state_dict(self):
        """{"state": {number of parameter: what is kept}, "param_groups": [...]}, as PyTorch's."""
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        number: dict[int, int] = {}
        groups, start = [], 0
        for group in self.param_groups:
            for i, p in enumerate(group["params"], start):
                number.setdefault(id(p), i)
            start += len(group["params"])
            groups.append({k: v for k, v in group.items() if k != "params"}
                          | {"params": [number[id(p)] for p in group["params"]]})
        state = {number[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()}
        result = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            changed = hook(self, result)
            if changed is not None:
                result = changed
        return result

    def load_state_dict(self, state_dict):
        """Continue where `state_dict()` was taken; parameters are matched by their order."""
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            if changed is not None:
                state_dict = changed
        saved = deepcopy(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise error("lengths-differ", ValueError("loaded state dict has a different number of parameter groups"),
                        what="state_dict['param_groups']", count=len(saved), other="optimizer.param_groups",
                        other_count=len(self.param_groups),
                        fix="make the optimizer with the same groups as the one that was saved, then load.")
        for i, (group, new) in enumerate(zip(self.param_groups, saved)):
            if len(group["params"]) != len(new["params"]):
                raise error("lengths-differ",
                            ValueError("loaded state dict contains a parameter group that doesn't match the size of "
                                       "optimizer's group"),
                            what=f"state_dict['param_groups'][{i}]['params']", count=len(new["params"]),
                            other=f"optimizer.param_groups[{i}]['params']", other_count=len(group["params"]),
                            fix="load it into an optimizer of the same model, with the same parameters left out as "
                                "when it was saved.")
        numbers = chain.from_iterable(g["params"] for g in saved)
        param = dict(zip(numbers, chain.from_iterable(g["params"] for g in self.param_groups)))
        state: defaultdict = defaultdict(dict)
        for k, v in state_dict["state"].items():
            if k in param:
                state[param[k]] = _fitted(v, param[k], None)
            else:
                state[k] = v
        for group, new in zip(self.param_groups, saved):
            new["params"] = group["params"]
            if "param_names" in group:
                new.setdefault("param_names", group["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def __getstate__(self):
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._runners = {}
        self.__dict__.setdefault("_opt_called", False)
        for name in _HOOKS:
            self.__dict__.setdefault(name, OrderedDict())
        for group in self.param_groups:  # checkpoints from before an option existed
            for name, default in self.defaults.items():
                if default is not required:
                    group.setdefault(name, default)
        for kept in self.state.values():  # and from when counters were Python numbers
            for name in self.counters:
                if isinstance(kept, dict) and isinstance(kept.get(name), (int, float)):
                    kept[name] = _number(kept[name])

    def __repr__(self):
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            # A blank line between groups, none before the first.
            lines += ["", f"Parameter Group {i}"] if i else [f"Parameter Group {i}"]
            lines += [f"    {k}: {group[k]}" for k in sorted(group) if k != "params"]
        return "\n".join(lines) + "\n)"

    # ---- hooks ---------------------------------------------------------------------------
    def _register(self, name, hook, prepend=False):
        table = getattr(self, name)
        handle = Hook(table, hook)
        if prepend:
            table.move_to_end(handle.id, last=False)
        return handle

    def register_step_pre_hook(self, hook):
        """Call hook(optimizer, args, kwargs) before each step; it may return new (args, kwargs)."""
        return self._register("_optimizer_step_pre_hooks", hook)

    def register_step_post_hook(self, hook):
        """Call hook(optimizer, args, kwargs) after each step."""
        return self._register("_optimizer_step_post_hooks", hook)

    def register_state_dict_pre_hook(self, hook, prepend=False):
        """Call hook(optimizer) before `state_dict` looks at anything."""
        return self._register("_optimizer_state_dict_pre_hooks", hook, prepend)

    def register_state_dict_post_hook(self, hook, prepend=False):
        """Call hook(optimizer, state_dict) on the result of `state_dict`; it may return another."""
        return self._register("_optimizer_state_dict_post_hooks", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook, prepend=False):
        """Call hook(optimizer, state_dict) before loading; it may return another state_dict."""
        return self._register("_optimizer_load_state_dict_pre_hooks", hook, prepend)

    def register_load_state_dict_post_hook(self, hook, prepend=False):
        """Call hook(optimizer) after loading."""
        return self._register("_optimizer_load_state_dict_post_hooks", hook, prepend)


def _take_names(group, params):
    """Split [(name, tensor), ...] into tensors and names; plain tensors stay as they are."""
    names = [p[0] for p in params if isinstance(p, tuple)]
    if names and len(names) != len(params):
        raise error("argument-value",
                    ValueError("all optimizer params should be with/without names. Some param names are missing"),
                    why="some entries are pairs (name, tensor), and others only tensors.",
                    fix="write all groups with net.named_parameters(), or all with net.parameters().")
    group["params"] = [p[1] if isinstance(p, tuple) else p for p in params]
    if names:
        group["param_names"] = names


def _typename(v):
    """As PyTorch names a type: torch.FloatTensor, float, numpy.ndarray."""
    if isinstance(v, Tensor):
        return v.type()
    module = type(v).__module__
    return type(v).__name__ if module == "builtins" else f"{module}.{type(v).__name__}"


def _number(value):
    """A counter in the state: a 0-d tensor, float32 unless float64 is the default."""
    return wrap(np.array(value, np.float64 if get_default_dtype() is float64 else np.float32))


def _full_like(p, value):
    """An array for a parameter, laid out as the parameter is."""
    a = p._array()
    if a.dtype.kind == "c" and value:  # complex parameters are updated as pairs of real numbers
        value = complex(value, value)
    return wrap(np.full_like(a, value))


def _fitted(value, p, name):
    """A loaded value as this parameter keeps it: a copy, in the parameter's dtype but for counts."""
    if isinstance(value, Tensor):
        cast = p.dtype.is_floating_point and name != "step"
        return wrap(np.array(value._data, p._data.dtype if cast else None))
    if isinstance(value, dict):
        return {k: _fitted(v, p, k) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return type(value)(_fitted(v, p, None) for v in value)
    return value


# ---- hooks around step -----------------------------------------------------------------------
def _with_hooks(step):
    """`step` of a subclass with the hooks of `Optimizer.step` around it."""
    @functools.wraps(step)
    def hooked(*args, **kwargs):
        args[0]._opt_called = True
        return _call_hooked(step, args, kwargs)
    return hooked


def _call_hooked(step, args, kwargs):
    self = args[0]
    for hook in chain(_global_pre_hooks.values(), self._optimizer_step_pre_hooks.values()):
        changed = hook(self, args, kwargs)
        if changed is not None:
            if not isinstance(changed, tuple) or len(changed) != 2:
                raise error("wrong-return",
                            RuntimeError(f"{step} must return None or a tuple of (new_args, new_kwargs), but got "
                                         f"{changed}."),
                            what=getattr(hook, "__name__", "hook"), kind=type(changed),
                            must="None, or a pair of the new args and kwargs")
            args, kwargs = changed
    result = step(*args, **kwargs)
    for hook in chain(self._optimizer_step_post_hooks.values(), _global_post_hooks.values()):
        hook(self, args, kwargs)
    return result


def register_optimizer_step_pre_hook(hook):
    """Call hook(optimizer, args, kwargs) before each step of every optimizer."""
    return Hook(_global_pre_hooks, hook)


def register_optimizer_step_post_hook(hook):
    """Call hook(optimizer, args, kwargs) after each step of every optimizer."""
    return Hook(_global_post_hooks, hook)


# ---- checks of hyperparameters ---------------------------------------------------------------
def check(ok, kind, message, /, **facts):
    """Raise ValueError(message), explained as a kind of mistake of the catalogue, unless `ok`."""
    if not ok:
        raise error(kind, ValueError(message), **facts)


def check_lr(lr, message="", strict=False):
    """A learning rate is a number >= 0 (or > 0), or a tensor with one element."""
    if isinstance(lr, Tensor):
        check(lr.numel() == 1, "tensor-shape", "Tensor lr must be 1-element", what="lr", shape=lr.shape, want=())
    if not plain(lr) >= 0.0 or strict and plain(lr) == 0.0:
        if not message:
            raise error("learning-rate", lr=str(lr))
        check(False, "argument-value", message.format(lr), what="lr", value=lr, must="a positive number",
              fix="write a rate such as lr=0.01; to go uphill use maximize=True.")


def check_positive(**values):
    """Numbers >= 0, in PyTorch's words."""
    for name, v in values.items():
        words = {"eps": "epsilon"}.get(name, name)
        check(plain(v) >= 0.0, "argument-value", f"Invalid {words} value: {v}", what=name, value=v, low=0,
              must="a number of at least {low}")


def check_betas(betas):
    """Decay rates of running averages, each in [0, 1)."""
    if not isinstance(betas, (tuple, list)):
        raise error("argument-type", TypeError(f"'{type(betas).__name__}' object is not subscriptable"), what="betas",
                    kind=type(betas), must="a pair of numbers", fix="write betas=(0.9, 0.999).")
    if len(betas) < 2:
        raise error("argument-count", IndexError("tuple index out of range"), what="betas", count=len(betas), need="{n}",
                    n=2, fix="write betas=(0.9, 0.999).")
    for i, beta in enumerate(betas):
        check(0.0 <= plain(beta) < 1.0, "argument-value", f"Invalid beta parameter at index {i}: {beta}",
              what=f"betas[{i}]", value=beta, must="a number of at least 0 and below 1")


def check_fused(fused, foreach, differentiable):
    """`fused` and `foreach` choose among PyTorch's kernels; here they are only kept."""
    if fused and differentiable:
        raise error("arguments-exclude", RuntimeError("`fused` does not support `differentiable`"), what="fused",
                    other="differentiable")
    if fused and foreach:
        raise error("arguments-exclude", RuntimeError("`fused` and `foreach` cannot be `True` together."), what="fused",
                    other="foreach")
