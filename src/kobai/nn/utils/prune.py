"""Removing the least useful weights: a mask, multiplied in before each call."""
from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from ... import cat, linalg, ones, ones_like, rand, rand_like
from ...diagnose import error
from ...tensor import Tensor
from ..module import Module


class BasePruningMethod(ABC):
    """A rule that decides which elements to prune, and the hook that applies the mask.

    A subclass sets `PRUNING_TYPE` ("unstructured", "structured" or "global") and defines
    `compute_mask(t, default_mask)`.
    """

    PRUNING_TYPE = "unstructured"
    _tensor_name: str

    def __call__(self, module: Module, inputs: tuple) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """A mask of the shape of `t`: what `default_mask` has pruned already, and more."""

    def apply_mask(self, module: Module) -> Tensor:
        """The original parameter times its mask."""
        original = getattr(module, self._tensor_name + "_orig")
        return getattr(module, self._tensor_name + "_mask").to(original.dtype) * original

    @classmethod
    def apply(cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None,
              **kwargs: Any):
        """Prune the parameter `name`, after what has been pruned already."""
        method = cls(*args, **kwargs)
        method._tensor_name = name
        old = _take_hook(module, name)
        if old is not None:
            container = old if isinstance(old, PruningContainer) else PruningContainer(old)
            container.add_pruning_method(method)
            method = container
        tensor = getattr(module, name)
        scores = tensor if importance_scores is None else importance_scores
        if scores.shape != tensor.shape:
            raise error("shapes-differ",
                        AssertionError(f"importance_scores should have the same shape as parameter {name} of {module}, "
                                       f"got {scores.shape} vs {tensor.shape}"),
                        what="importance_scores", shape=scores.shape, other=name, other_shape=tensor.shape,
                        must="both must have the same shape")
        if old is None:
            original = module._parameters.pop(name)
            module.register_parameter(name + "_orig", original)
            default = ones_like(original)
        else:
            default = getattr(module, name + "_mask").detach().clone()
        module.register_buffer(name + "_mask", method.compute_mask(scores.detach(), default))
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None,
              importance_scores: Tensor | None = None) -> Tensor:
        """`t` with this rule's mask multiplied in; no module is involved."""
        scores = t if importance_scores is None else importance_scores
        default = ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default)

    def remove(self, module: Module) -> None:
        """Make the pruned parameter an ordinary one, zeros included."""
        name = self._tensor_name
        weight = self.apply_mask(module)
        delattr(module, name)
        original = module._parameters[name + "_orig"]
        original.data = weight.data
        del module._parameters[name + "_orig"]
        del module._buffers[name + "_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several rules on one parameter, one after the other."""

    def __init__(self, *methods: BasePruningMethod) -> None:
        self._pruning_methods: tuple = ()
        for method in methods:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Add a rule at the end."""
        if not isinstance(method, BasePruningMethod):
            raise error("argument-type", TypeError(f"{type(method)} is not a BasePruningMethod subclass"),
                        what="method", kind=type(method),
                        must="an object of a class derived from prune.BasePruningMethod")
        if self._pruning_methods and method._tensor_name != self._tensor_name:
            raise error("argument-value",
                        ValueError("Can only add pruning methods acting on the parameter named "
                                   f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"),
                        name=self._tensor_name, other=method._tensor_name,
                        why="the methods here prune {name}, and this one prunes {other}.",
                        fix="make a container of its own for each parameter.")
        self._tensor_name = method._tensor_name
        self._pruning_methods = (*self._pruning_methods, method)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self):
        return iter(self._pruning_methods)

    def __getitem__(self, i):
        return self._pruning_methods[i]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The last rule's mask on what the earlier ones have left."""
        method, mask = self._pruning_methods[-1], default_mask.to(t.dtype)
        if method.PRUNING_TYPE == "unstructured":
            left = mask == 1
            new = mask.clone()
            new[left] = method.compute_mask(t[left], ones_like(t[left]))
            return new
        if method.PRUNING_TYPE == "structured":
            dim = getattr(method, "dim", -1) % t.ndim
            kept = [i for i in range(t.shape[dim]) if bool(mask.select(dim, i).any())]
            index = tuple(slice(None) if d != dim else kept for d in range(t.ndim))
            new = mask.clone()
            new[index] = method.compute_mask(t[index], mask[index])
            return new
        return method.compute_mask(t, ones_like(t)) * mask


class Identity(BasePruningMethod):
    """Prunes nothing, but sets up mask and original."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


class RandomUnstructured(BasePruningMethod):
    """Prunes elements at random."""

    def __init__(self, amount: int | float) -> None:
        _check_amount(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return _without_smallest(-rand_like(t), default_mask, self.amount)


class L1Unstructured(BasePruningMethod):
    """Prunes the elements that are smallest in absolute value."""

    def __init__(self, amount: int | float) -> None:
        _check_amount(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return _without_smallest(t.abs(), default_mask, self.amount)


def _without_smallest(scores: Tensor, default_mask: Tensor, amount: int | float) -> Tensor:
    mask = default_mask.clone()
    n = _how_many(amount, scores.numel())
    if n:
        mask.view(-1)[scores.reshape(-1).topk(n, largest=False).indices] = 0
    return mask


class _Structured(BasePruningMethod):
    """Prunes whole slices along `dim`, those with the smallest scores."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: int | float, dim: int = -1) -> None:
        _check_amount(amount)
        self.amount, self.dim = amount, dim

    def _scores(self, t: Tensor) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if t.ndim <= 1:
            raise error("tensor-dims",
                        ValueError("Structured pruning can only be applied to multidimensional tensors. Found "
                                   f"tensor of shape {t.shape} with {t.ndim} dims"),
                        what="t", shape=t.shape, need="at least {n}", n=2,
                        fix="rows and channels are pruned from weights; for a bias use prune.l1_unstructured or "
                            "prune.random_unstructured.")
        scores = self._scores(t)
        n = _how_many(self.amount, scores.numel())
        if n == 0:
            return default_mask
        keep = ones(scores.numel(), dtype=default_mask.dtype)
        keep[scores.topk(n, largest=False).indices] = 0
        shape = [1] * t.ndim
        shape[self.dim] = -1
        return default_mask * keep.reshape(shape)


class RandomStructured(_Structured):
    """Prunes slices at random."""

    def _scores(self, t: Tensor) -> Tensor:
        return rand(t.shape[self.dim])


class LnStructured(_Structured):
    """Prunes the slices with the smallest norm."""

    def __init__(self, amount: int | float, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _scores(self, t: Tensor) -> Tensor:
        others = [d for d in range(t.ndim) if d != self.dim % t.ndim]
        return linalg.vector_norm(t, 2 if self.n == "fro" else float(self.n), dim=others)


class CustomFromMask(BasePruningMethod):
    """Prunes where a given mask is zero."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask * self.mask.to(default_mask.dtype)


# ------------------------------------------------------------------ functions
def identity(module: Module, name: str) -> Module:
    """Set up mask and original of a parameter without pruning anything."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: int | float) -> Module:
    """Prune a number (int) or fraction (float) of elements at random."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: int | float,
                    importance_scores: Tensor | None = None) -> Module:
    """Prune the elements that are smallest in absolute value.

    >>> layer = kobai.nn.Linear(2, 2, bias=False)
    >>> _ = kobai.nn.init.constant_(layer.weight, 1.0)
    >>> layer.weight.data[0, 0] = 0.1
    >>> kobai.nn.utils.prune.l1_unstructured(layer, "weight", amount=1).weight_mask
    tensor([[0., 1.],
            [1., 1.]])
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: int | float, dim: int) -> Module:
    """Prune slices along `dim` at random."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: Module, name: str, amount: int | float, n: Any, dim: int,
                  importance_scores: Tensor | None = None) -> Module:
    """Prune the slices along `dim` that have the smallest n-norm."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune where `mask` is zero."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters: Iterable[tuple[Module, str]], pruning_method: type[BasePruningMethod],
                        importance_scores: dict | None = None, **kwargs: Any) -> None:
    """Prune several parameters as if they were one."""
    if not isinstance(parameters, Iterable):
        raise error("argument-type", TypeError("global_unstructured(): parameters is not an Iterable"),
                    what="parameters", kind=type(parameters), must="a list of pairs of a module and a name",
                    fix="write [(net.fc1, 'weight'), (net.fc2, 'weight')].")
    parameters, given = list(parameters), importance_scores or {}
    scores = cat([given.get((m, n), getattr(m, n)).detach().reshape(-1) for m, n in parameters])
    masks = [getattr(m, n + "_mask", ones_like(getattr(m, n))).reshape(-1) for m, n in parameters]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise error("argument-value",
                    TypeError('Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
                              f"{pruning_method} of type {method.PRUNING_TYPE}"),
                    name=pruning_method, kind=method.PRUNING_TYPE,
                    why="{name} takes away whole rows or channels ({kind}), and several parameters have none in common.",
                    fix="use prune.L1Unstructured or prune.RandomUnstructured.")
    method._tensor_name = "temp"
    container = PruningContainer(method)
    mask, start = container.compute_mask(scores, cat(masks)), 0
    for module, name in parameters:
        param = getattr(module, name)
        custom_from_mask(module, name, mask[start:start + param.numel()].view(param.shape))
        start += param.numel()


def remove(module: Module, name: str) -> Module:
    """Make a pruned parameter an ordinary one."""
    hook = _take_hook(module, name)
    if hook is None:
        raise error("call-order",
                    ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"),
                    name=name, cls=type(module), why="{name} of this {cls} was not pruned.",
                    fix="prune it first, prune.l1_unstructured(layer, {name!r}, amount=0.3), and give the same layer "
                        "here.")
    hook.remove(module)
    return module


def is_pruned(module: Module) -> bool:
    """Whether anything in the module or below is pruned."""
    return any(isinstance(hook, BasePruningMethod)
               for m in module.modules() for hook in m._forward_pre_hooks.values())


def _take_hook(module: Module, name: str) -> BasePruningMethod | None:
    """The hook that prunes this parameter, taken off the module; None if there is none."""
    for key, hook in list(module._forward_pre_hooks.items()):
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return module._forward_pre_hooks.pop(key)
    return None


def _check_amount(amount: Any) -> None:
    if not isinstance(amount, numbers.Real):
        raise error("argument-type", TypeError(f"Invalid type for amount: {amount}. Must be int or float."),
                    what="amount", kind=type(amount), must="a number",
                    fix="write 0.3 for three tenths of the entries, or 20 for twenty entries.")
    if (isinstance(amount, numbers.Integral) and amount < 0) or (
            not isinstance(amount, numbers.Integral) and not 0.0 <= float(amount) <= 1.0):
        raise error("argument-value",
                    ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative "
                               "integer"),
                    what="amount", value=amount, must="a fraction between 0.0 and 1.0, or a whole number of at least 0",
                    fix="write 0.3 for three tenths of the entries, or 20 for twenty entries.")


def _how_many(amount: int | float, size: int) -> int:
    if isinstance(amount, numbers.Integral):
        if amount > size:
            raise error("argument-value",
                        ValueError(f"amount={amount} should be smaller than the number of parameters to prune={size}"),
                        what="amount", value=amount, high=size,
                        must="a whole number of at most {high}, so many entries there are",
                        fix="use a smaller number, or a fraction such as 0.3.")
        return int(amount)
    return round(amount * size)
