"""Functions that a module calls around its `forward` and during its backward pass.

`Module` mixes in `Hooks` for registration; `call_with_hooks` is what `Module.__call__` does as soon
as one hook exists. Modules without hooks never enter this file.
"""
from __future__ import annotations

import itertools
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import ref

from .. import is_grad_enabled, zeros_like
from ..autograd import Function
from ..autograd.node import Hook
from ..diagnose import error
from ..tensor import Tensor

_ids = itertools.count()


class NoHooks(dict):
    """The empty table that all modules without a kind of hook share; it cannot be filled."""

    def __setitem__(self, key, value):
        raise error("not-possible", TypeError("this table is shared by all modules"),
                    why="all modules without hooks share one table, so nothing can be entered into it.",
                    fix="use the module's own methods, such as register_forward_hook(hook).")

    update = setdefault = __ior__ = __setitem__

    def __reduce__(self):
        return _none, ()


def _none() -> NoHooks:
    return NONE


NONE = NoHooks()


class RemovableHandle(Hook):
    """What registering a hook returns: `remove()` it, or use it as a context manager."""

    def __init__(self, hooks: dict, *, extra_dict: dict | None = None):
        self.id = next(_ids)
        self._tables = [ref(t) for t in (hooks, extra_dict) if t is not None]

    def remove(self) -> None:
        """Forget the hook; a second call does nothing."""
        for table in self._tables:
            table = table()
            if table is not None:
                table.pop(self.id, None)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.remove()

    def __getstate__(self):
        return self.id, [table() for table in self._tables if table() is not None]

    def __setstate__(self, state):      # the handle of a copied module must point at the copy's tables
        self.id, tables = state
        self._tables = [ref(t) for t in tables]


class Options(OrderedDict):
    """How each hook wants to be called: {hook id: (with_kwargs, always_call)}."""

    def wants(self, key: int) -> tuple[bool, bool]:
        return self.get(key, (False, False))


GLOBAL: dict[str, OrderedDict] = {
    kind: OrderedDict() for kind in (
        "forward_pre", "forward", "backward_pre", "backward",
        "buffer_registration", "module_registration", "parameter_registration")
}
_global_options = Options()


class Hooks:
    """Registration of hooks on one module; a mixin of `Module`."""

    # Shared empties: a module that has no hooks carries nothing and is called without looking.
    _hooked = False
    _forward_pre_hooks: dict = NONE
    _forward_hooks: dict = NONE
    _backward_pre_hooks: dict = NONE
    _backward_hooks: dict = NONE
    _state_dict_pre_hooks: dict = NONE
    _state_dict_hooks: dict = NONE
    _load_state_dict_pre_hooks: dict = NONE
    _load_state_dict_post_hooks: dict = NONE
    _hook_options: Options = Options()

    def _add_hook(self, table: str, hook: Callable, prepend: bool = False, options=None) -> RemovableHandle:
        own = self.__dict__
        hooks = own.get(table)
        if hooks is None:
            hooks = own[table] = OrderedDict()
        if options and "_hook_options" not in own:
            own["_hook_options"] = Options()
        own["_hooked"] = True
        handle = RemovableHandle(hooks, extra_dict=own["_hook_options"] if options else None)
        hooks[handle.id] = hook
        if options:
            own["_hook_options"][handle.id] = options
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before `forward`; what it returns replaces the arguments.

        With `with_kwargs` it is `hook(module, args, kwargs)`, returning None or `(args, kwargs)`.

        >>> double = kobai.nn.Identity()
        >>> handle = double.register_forward_pre_hook(lambda module, args: args[0] * 2)
        >>> double(kobai.tensor(3.0))
        tensor(6.)
        """
        return self._add_hook("_forward_pre_hooks", hook, prepend, (with_kwargs, False))

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after `forward`; what it returns replaces the output.

        With `with_kwargs` it is `hook(module, args, kwargs, output)`; with `always_call` it is called
        (with output None) even when `forward` raised.

        >>> seen = []
        >>> layer = kobai.nn.ReLU()
        >>> handle = layer.register_forward_hook(lambda module, args, output: seen.append(output))
        >>> layer(kobai.tensor([-1.0, 2.0]))
        tensor([0., 2.])
        >>> handle.remove()
        >>> layer(kobai.tensor([5.0])), len(seen)
        (tensor([5.]), 1)
        """
        return self._add_hook("_forward_hooks", hook, prepend, (with_kwargs, always_call))

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` when the gradients of the outputs are known.

        What it returns replaces them.
        """
        return self._add_hook("_backward_pre_hooks", hook, prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the inputs are known.

        What it returns replaces `grad_input`.
        """
        return self._add_hook("_backward_hooks", hook, prepend)

    def register_backward_hook(self, hook: Callable) -> RemovableHandle:
        """The old name of `register_full_backward_hook`, which it calls."""
        return self.register_full_backward_hook(hook)

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict` collects this module."""
        return self._add_hook("_state_dict_pre_hooks", hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, metadata)` after `state_dict` collected this module."""
        hook._from_public_api = True
        return self._add_hook("_state_dict_hooks", hook)

    def _register_state_dict_hook(self, hook: Callable) -> RemovableHandle:
        """As `register_state_dict_post_hook`, and what the hook returns replaces the state."""
        return self._add_hook("_state_dict_hooks", hook)

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, metadata, strict, missing, unexpected, errors)` first."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook: Callable,
                                           with_module: bool = False) -> RemovableHandle:
        return self._add_hook("_load_state_dict_pre_hooks", _BoundHook(hook, self if with_module else None))

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` after loading; it may edit the two lists of keys."""
        return self._add_hook("_load_state_dict_post_hooks", hook)


class _BoundHook:
    """A hook that gets its module as first argument without keeping the module alive."""

    def __init__(self, hook: Callable, module):
        self.hook, self.module = hook, module and ref(module)

    def __call__(self, *args):
        return self.hook(*args) if self.module is None else self.hook(self.module(), *args)

    def __reduce__(self):
        return _BoundHook, (self.hook, self.module and self.module())


# ------------------------------------------------------------------ calling
def call_with_hooks(module, args: tuple, kwargs: dict) -> Any:
    """One call of `module` with everything that was registered on it and on all modules."""
    ran: set[int] = set()
    try:
        args, kwargs = _before(module, args, kwargs)
        backward = _backward_hooks_of(module)
        if backward is not None:
            args = backward.watch_inputs(args)
        output = module._forward_or_compiled()(*args, **kwargs)
        output = _after(module, args, kwargs, output, ran)
        return output if backward is None else backward.watch_outputs(output)
    except Exception:
        _after_failure(module, args, kwargs, ran)
        raise


def _before(module, args, kwargs):
    for key, hook, options in _forward_hooks_of(module, "forward_pre", module._forward_pre_hooks):
        if options.wants(key)[0]:
            new = hook(module, args, kwargs)
            if new is None:
                continue
            if not (isinstance(new, tuple) and len(new) == 2):
                raise error("wrong-return",
                            RuntimeError("forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                                         f"but got {new}."),
                            what=getattr(hook, "__name__", "hook"), kind=type(new),
                            must="None, or a pair of the new args and kwargs")
            args, kwargs = new
        else:
            new = hook(module, args)
            if new is not None:
                args = new if isinstance(new, tuple) else (new,)
    return args, kwargs


def _forward_hooks_of(module, kind: str, own: dict):
    """(id, hook, options) of the hooks on all modules, then of the module's own."""
    for key, hook in tuple(GLOBAL[kind].items()):
        yield key, hook, _global_options
    for key, hook in tuple(own.items()):
        yield key, hook, module._hook_options


def _after(module, args, kwargs, output, ran: set[int]):
    for key, hook, options in _forward_hooks_of(module, "forward", module._forward_hooks):
        ran.add(key)
        new = hook(module, args, kwargs, output) if options.wants(key)[0] else hook(module, args, output)
        if new is not None:
            output = new
    return output


def _after_failure(module, args, kwargs, ran: set[int]) -> None:
    """Run the `always_call` hooks that have not run; their own failures only warn."""
    for key, hook, options in _forward_hooks_of(module, "forward", module._forward_hooks):
        with_kwargs, always = options.wants(key)
        if not always or key in ran:
            continue
        try:
            hook(module, args, kwargs, None) if with_kwargs else hook(module, args, None)
        except Exception as exc:
            warnings.warn("module forward hook with ``always_call=True`` raised an exception that was "
                          f"silenced as another error was raised in forward: {exc}", stacklevel=2)


# ------------------------------------------------------------ backward hooks
class BackwardHookFunction(Function):
    """The identity on some tensors, whose backward shows all their gradients to `watch` at once."""

    @staticmethod
    def forward(ctx, watch, *tensors):
        ctx.watch = watch
        return tuple(t.view_as(t) for t in tensors)

    @staticmethod
    def backward(ctx, *grads):
        return (None, *ctx.watch(grads))


def _backward_hooks_of(module):
    pre = [*GLOBAL["backward_pre"].values(), *module._backward_pre_hooks.values()]
    full = [*GLOBAL["backward"].values(), *module._backward_hooks.values()]
    return _BackwardHooks(module, pre, full) if (pre or full) and is_grad_enabled() else None


class _BackwardHooks:
    """One call of a module, as its backward hooks see it."""

    def __init__(self, module, pre: list, full: list):
        self.module, self.pre, self.full = module, pre, full
        self.grad_output: tuple | None = None
        self.watches_inputs = False

    def watch_inputs(self, args: tuple) -> tuple:
        self.n_inputs = len(args)
        args, self.watches_inputs = _through(args, self._inputs_done)
        return args

    def watch_outputs(self, output):
        many = isinstance(output, tuple)
        outputs, _ = _through(output if many else (output,), self._outputs_done)
        return outputs if many else outputs[0]

    def _outputs_done(self, grads: tuple) -> tuple:
        for hook in self.pre:
            new = hook(self.module, grads)
            if new is not None:
                grads = _as_tuple(new, len(grads), "grad_output")
        self.grad_output = grads
        if not self.watches_inputs:             # nobody asks for input gradients: this is the end
            nothing = (None,) * self.n_inputs
            for hook in self.full:
                new = hook(self.module, nothing, grads)
                if new is not None and any(g is not None for g in _as_tuple(new, len(nothing), "grad_input")):
                    raise error("wrong-return",
                                RuntimeError("Backward hook for Modules where no input requires gradient should "
                                             "always return None or None for all gradients."),
                                what=getattr(hook, "__name__", "hook"), module=type(self.module),
                                why="no input of {module} needs a gradient, and {what} returned one for it.",
                                fix="return None from the hook, or give the input requires_grad=True.")
        return grads

    def _inputs_done(self, grads: tuple) -> tuple:
        if self.grad_output is not None:        # else: only part of the graph was asked for
            for hook in self.full:
                new = hook(self.module, grads, self.grad_output)
                if new is not None:
                    grads = _as_tuple(new, len(grads), "grad_input")
        return grads


def _as_tuple(new, n: int, what: str) -> tuple:
    new = new if isinstance(new, tuple) else (new,)
    if len(new) != n:
        raise error("wrong-return",
                    RuntimeError(f"Backward hook returned an invalid number of {what}, got {len(new)}, but expected "
                                 f"{n}"),
                    what=what, count=len(new), n=n,
                    why="the backward hook returned {count} gradients, and {what} has {n}.",
                    fix="return a tuple of as many as {what} has, or None to leave them as they are.")
    return new


def _through(values: tuple, done: Callable[[tuple], tuple]) -> tuple[tuple, bool]:
    """`values` with those that need gradients passed through one node that calls `done(all gradients)`."""
    places = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    if not places:
        return values, False

    def watch(grads):
        # As in PyTorch, a tensor that needs no gradient has a gradient of zeros; what is no tensor has none.
        everything = [zeros_like(v) if isinstance(v, Tensor) and v.is_floating_point() else None
                      for v in values]
        for i, g in zip(places, grads):
            everything[i] = g
        new = done(tuple(everything))
        return [new[i] for i in places]

    replaced = list(values)
    for i, t in zip(places, BackwardHookFunction.apply(watch, *(values[i] for i in places))):
        replaced[i] = t
    return tuple(replaced), True


# ------------------------------------------------------ hooks on all modules
def _add_global(kind: str, hook: Callable, options=None) -> RemovableHandle:
    handle = RemovableHandle(GLOBAL[kind], extra_dict=_global_options if options else None)
    GLOBAL[kind][handle.id] = hook
    if options:
        _global_options[handle.id] = options
    Hooks._hooked = True        # from now on every call looks for hooks
    return handle


def register_module_forward_pre_hook(hook: Callable) -> RemovableHandle:
    """Call `hook(module, args)` before the `forward` of every module."""
    return _add_global("forward_pre", hook)


def register_module_forward_hook(
    hook: Callable, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call `hook(module, args, output)` after the `forward` of every module.

    >>> names = []
    >>> with kobai.nn.hooks.register_module_forward_hook(lambda m, args, out: names.append(type(m).__name__)):
    ...     _ = kobai.nn.Sequential(kobai.nn.Tanh(), kobai.nn.ReLU())(kobai.tensor(1.0))
    >>> names
    ['Tanh', 'ReLU', 'Sequential']
    """
    return _add_global("forward", hook, (with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Callable) -> RemovableHandle:
    """Call `hook(module, grad_output)` in the backward pass of every module."""
    return _add_global("backward_pre", hook)


def register_module_full_backward_hook(hook: Callable) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` in the backward pass of every module."""
    return _add_global("backward", hook)


def register_module_backward_hook(hook: Callable) -> RemovableHandle:
    """The old name of `register_module_full_backward_hook`, which it calls."""
    return register_module_full_backward_hook(hook)


def register_module_buffer_registration_hook(hook: Callable) -> RemovableHandle:
    """Call `hook(module, name, buffer)` when any module registers a buffer; its result replaces it."""
    return _add_global("buffer_registration", hook)


def register_module_module_registration_hook(hook: Callable) -> RemovableHandle:
    """Call `hook(module, name, submodule)` when any module gets a submodule; its result replaces it."""
    return _add_global("module_registration", hook)


def register_module_parameter_registration_hook(hook: Callable) -> RemovableHandle:
    """Call `hook(module, name, parameter)` when any module gets a parameter; its result replaces it."""
    return _add_global("parameter_registration", hook)
