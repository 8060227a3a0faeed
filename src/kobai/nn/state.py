"""Saving and loading the parameters and buffers of a tree of modules; a mixin of `Module`."""
from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Mapping
from typing import Any

from .. import no_grad
from ..diagnose import error
from ..tensor import Tensor
from .parameter import Parameter, is_lazy

_EXTRA_STATE = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What `load_state_dict` could not match up."""

    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class State:
    """`state_dict`, `load_state_dict` and the methods by which a layer takes part in them."""

    # ----------------------------------------------------------------- saving
    def state_dict(self, *args: Any, destination=None, prefix: str = "",
                   keep_vars: bool = False) -> OrderedDict:
        """All parameters and persistent buffers by dotted path, detached but sharing memory.

        >>> list(kobai.nn.Sequential(kobai.nn.Linear(2, 1), kobai.nn.BatchNorm1d(1)).state_dict())[:3]
        ['0.weight', '0.bias', '1.weight']
        """
        if args:        # the older positional order
            destination, prefix, keep_vars = (*args, *(destination, prefix, keep_vars)[len(args):])
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            new = hook(self, destination, prefix, local_metadata)
            if getattr(hook, "_from_public_api", False):
                if new is not None:
                    raise error("wrong-return", RuntimeError("state_dict post-hook must return None"),
                                what=getattr(hook, "__name__", "hook"), kind=type(new), must="None",
                                fix="change the dict itself, state_dict['name'] = ..., and return nothing.")
            elif new is not None:
                destination = new
        return destination

    def _own_state(self) -> dict[str, Tensor]:
        """This module's parameters and persistent buffers, without those below."""
        buffers = {k: b for k, b in self._buffers.items() if k not in self._non_persistent_buffers_set}
        return {k: t for k, t in {**self._parameters, **buffers}.items() if t is not None}

    def _has_extra_state(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(State, method)

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        for name, tensor in self._own_state().items():
            destination[prefix + name] = tensor if keep_vars or is_lazy(tensor) else tensor.detach()
        if self._has_extra_state("get_extra_state"):
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def get_extra_state(self) -> Any:
        """What else belongs in the state, if a subclass defines it."""
        raise error("method-missing",
                    RuntimeError("Reached a code path in Module.get_extra_state() that should never be called."),
                    cls=type(self), what="get_extra_state")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave."""
        raise error("method-missing",
                    RuntimeError("Reached a code path in Module.set_extra_state() that should never be called."),
                    cls=type(self), what="set_extra_state")

    # ---------------------------------------------------------------- loading
    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False):
        """Copy `state_dict` into the parameters and buffers.

        Args:
            strict: missing and unexpected names are errors.
            assign: use the given tensors themselves instead of copying their values.

        Returns:
            A named tuple `(missing_keys, unexpected_keys)`.

        Raises:
            RuntimeError: names (if `strict`) or shapes do not match; all of them are listed.

        >>> net = kobai.nn.Linear(2, 1)
        >>> net.load_state_dict({"weight": kobai.ones(1, 2), "bias": kobai.zeros(1)})
        <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise error("argument-type", TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}."),
                        what="state_dict", kind=type(state_dict), must="a dict",
                        fix="read a file before, net.load_state_dict(torch.load('net.pt')); of another module take "
                            "other.state_dict().")
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        metadata = getattr(state_dict, "_metadata", None) or {}
        given = set(state_dict)
        state_dict = OrderedDict(state_dict)        # hooks may change it
        self._load_tree(state_dict, "", metadata, assign, (strict, missing, unexpected, errors))
        if strict:
            if unexpected:
                errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
            if missing:
                errors.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}. ")
        if errors:
            raise error("state-dict", module=type(self).__name__, errors="\n\t".join(errors),
                        hint=_prefix_hint(given, set(self.state_dict())).replace("\n", "\n    "))
        return _IncompatibleKeys(missing, unexpected)

    def _load_tree(self, state_dict, prefix: str, metadata: Mapping, assign: bool, report: tuple) -> None:
        local_metadata = dict(metadata.get(prefix[:-1], {}))
        if assign:
            local_metadata["assign_to_params_buffers"] = True
        strict, missing, unexpected, errors = report
        # Where children are missing and unexpected, PyTorch looks at the whole dictionary only at the root.
        self._load_from_state_dict(state_dict, prefix, local_metadata, True, missing, unexpected, errors)
        for name, module in self._modules.items():
            if module is not None:
                below = f"{prefix}{name}."
                part = OrderedDict((k, v) for k, v in state_dict.items() if k.startswith(below))
                module._load_tree(part, below, metadata, assign, report)
        for hook in self._load_state_dict_post_hooks.values():
            if hook(self, _IncompatibleKeys(missing, unexpected)) is not None:
                raise error("wrong-return",
                            AssertionError("Hooks registered with ``register_load_state_dict_post_hook`` are not "
                                           "expected to return new values, if incompatible_keys need to be "
                                           "modified, it should be done inplace."),
                            what=getattr(hook, "__name__", "hook"),
                            why="{what} returned something, and load_state_dict() only looks at the lists it was "
                                "given.",
                            fix="change the lists themselves, keys.missing_keys.clear(), and return nothing.")

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ) -> None:
        """Load this module's own tensors; what goes wrong is appended to the three lists."""
        for hook in tuple(self._load_state_dict_pre_hooks.values()):
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        assign = local_metadata.get("assign_to_params_buffers", False)
        own = self._own_state()
        for name, target in own.items():
            key = prefix + name
            if key in state_dict:
                error = self._load_one(name, key, target, state_dict[key], assign)
                if error:
                    error_msgs.append(error)
            elif strict:
                missing_keys.append(key)
        extra = prefix + _EXTRA_STATE
        has_extra = self._has_extra_state("set_extra_state")
        if has_extra and extra in state_dict:
            self.set_extra_state(state_dict[extra])
        elif has_extra and strict:
            missing_keys.append(extra)
        if strict:
            unexpected_keys.extend(self._unexpected(state_dict, prefix, own, has_extra))

    def _unexpected(self, state_dict, prefix: str, own: dict, has_extra: bool):
        for key in state_dict:
            if not key.startswith(prefix) or (key == prefix + _EXTRA_STATE and has_extra):
                continue
            name, dot, _ = key[len(prefix):].partition(".")
            if name not in (self._modules if dot else own):
                yield key

    def _load_one(self, name: str, key: str, target: Tensor, value: Any, assign: bool) -> str | None:
        """Put `value` into the parameter or buffer `name`, or return what is wrong with it."""
        if not isinstance(value, Tensor):
            return (f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object '
                    'from '
                    f"checkpoint but received {type(value)}")
        lazy = is_lazy(target)
        if not lazy:
            if target.ndim == 0 and value.ndim == 1 and not is_lazy(value):
                value = value[0]        # checkpoints of PyTorch before 0.4 had no 0-dimensional tensors
            if not is_lazy(value) and value.shape != target.shape:
                return (f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
                        f"the shape in current model is {target.shape}.")
            if is_lazy(value):
                return _copy_failed(key, target, value,
                                    "the checkpoint was saved before this parameter got a shape")
        try:
            with no_grad():
                if assign or target.is_meta:
                    setattr(self, name, _as_member(target, value))
                elif not lazy:
                    target.copy_(value)
        except Exception as exc:
            return _copy_failed(key, target, value, exc.args)
        return None


def _as_member(target: Tensor, value: Tensor) -> Tensor:
    """`value` as what `target` is: a Parameter that needs gradients as it did, or a tensor."""
    if isinstance(target, Parameter) and not isinstance(value, Parameter):
        return Parameter(value, requires_grad=target.requires_grad)
    return value.requires_grad_(target.requires_grad) if isinstance(target, Parameter) else value


def _copy_failed(key: str, target: Tensor, value: Tensor, why: Any) -> str:
    shape = "unknown" if is_lazy(value) else value.shape
    return (f'While copying the parameter named "{key}", whose dimensions in the model are {target.shape} '
            'and '
            f"whose dimensions in the checkpoint are {shape}, an exception occurred : {why}.")


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _prefix_hint(given: set[str], wanted: set[str]) -> str:
    """A line of advice when the names differ only by a prefix that a wrapper added."""
    for prefix in ("module.", "model.", "_orig_mod."):
        if given and {prefix + name for name in wanted} == given:
            return (f"\nEvery name in the checkpoint starts with '{prefix}': remove it, e.g. "
                    f"{{k.removeprefix('{prefix}'): v for k, v in state_dict.items()}}.")
        if wanted and {prefix + name for name in given} == wanted:
            return f"\nEvery name in the model starts with '{prefix}': add it to the names in the checkpoint."
    return ""
