"""`Module`: a function with parameters, buffers and submodules.

Reading order: registration (`__setattr__` and the three tables), calling (`__call__`), then walking
and converting the tree. Hooks live in hooks.py, saving and loading in state.py.
"""
from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from .. import empty_like, no_grad
from ..devices import device as Device
from ..diagnose import error
from ..diagnose.language import language
from ..dtypes import bfloat16, dtype as DType, float16, float32, float64
from ..tensor import Tensor
from .blame import blame
from .hooks import (
    GLOBAL,
    Hooks,
    call_with_hooks,
    register_module_backward_hook as register_module_backward_hook,
    register_module_buffer_registration_hook as register_module_buffer_registration_hook,
    register_module_forward_hook as register_module_forward_hook,
    register_module_forward_pre_hook as register_module_forward_pre_hook,
    register_module_full_backward_hook as register_module_full_backward_hook,
    register_module_full_backward_pre_hook as register_module_full_backward_pre_hook,
    register_module_module_registration_hook as register_module_module_registration_hook,
    register_module_parameter_registration_hook as register_module_parameter_registration_hook,
)
from .members import Members
from .parameter import Buffer, Parameter
from .state import State
from .tree import Tree, indented as _addindent, typename  # noqa: F401  (programs use _addindent in their own repr)

_MISSING = object()
_KINDS = ("_parameters", "_buffers", "_modules")


class Module(Hooks, State, Tree):
    """Base class of all layers and networks.

    A subclass assigns `Parameter`s, tensors registered with `register_buffer`, and other modules as
    attributes in `__init__`, and computes in `forward`. Call the module, not `forward`.

    >>> class Line(kobai.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope = kobai.nn.Parameter(kobai.tensor(2.0))
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> line = Line()
    >>> line(kobai.tensor(3.0))
    tensor(6., grad_fn=<MulBackward0>)
    >>> [name for name, _ in line.named_parameters()]
    ['slope']
    """

    training: bool
    _version: int = 1
    call_super_init: bool = False
    _non_persistent_buffers_set: frozenset | set = frozenset()
    _compiled_call_impl: Callable | None = None

    def __init__(self, *args, **kwargs) -> None:
        if not self.call_super_init and (args or kwargs):
            given = (f"got an unexpected keyword argument '{next(iter(kwargs))}'" if kwargs else
                     f"takes 1 positional argument but {len(args) + 1} were given")
            raise error("call-form", TypeError(f"{type(self).__name__}.__init__() {given}"), name=type(self),
                        why="nn.Module.__init__() takes no arguments, and those of {name} arrived there.",
                        fix="write def __init__(self, ...) in {name}, and in it super().__init__() without arguments.")
        own = self.__dict__
        own["training"] = True
        for kind in _KINDS:
            own[kind] = Members(self)
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # ------------------------------------------------------------ attributes
    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            self._initialised("_parameters", "parameters")
            self._forget(name, keep="_parameters")
            self.register_parameter(name, value)
        elif name in own.get("_parameters", ()):
            if value is not None:
                raise error("parameter-plain", got=typename(value), key=name)
            self.register_parameter(name, None)
        elif isinstance(value, Module):
            modules = self._initialised("_modules", "module")
            self._forget(name, keep="_modules")
            modules[name] = _registered("module_registration", self, name, value)
        elif name in own.get("_modules", ()):
            if value is not None:
                raise error("argument-type",
                            TypeError(f"cannot assign '{typename(value)}' as child module '{name}' (torch.nn.Module "
                                      "or None expected)"),
                            name=name, owner=type(self), kind=type(value),
                            why="{name} is a module of {owner}, so only a module can take its place; this is of type "
                                "{kind}.",
                            fix="use another name for it, or `del net.{name}` before.")
            own["_modules"][name] = _registered("module_registration", self, name, value)
        elif isinstance(value, Buffer):
            self._initialised("_buffers", "buffer")
            self._forget(name, keep="_buffers")
            self.register_buffer(name, value, value.persistent)
        elif name in own.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise error("argument-type",
                            TypeError(f"cannot assign '{typename(value)}' as buffer '{name}' (torch.nn.Buffer, "
                                      "torch.Tensor or None expected)"),
                            name=name, owner=type(self), kind=type(value),
                            why="{name} is a buffer of {owner}, so only a tensor can take its place; this is of type "
                                "{kind}.",
                            fix="make a tensor of it, torch.tensor(...), or use another name.")
            own["_buffers"][name] = _registered("buffer_registration", self, name, value)
        elif name in _KINDS:
            own[name] = Members(self, value)
        else:
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        """Only reached when the ordinary lookup failed."""
        cls, own = type(self), self.__dict__
        for kind in _KINDS:
            if name in own.get(kind, ()):       # a table that a subclass's __setstate__ left plain
                self._adopt_tables()
                return own[kind][name]
        if isinstance(getattr(cls, name, None), property):
            return getattr(cls, name).__get__(self)     # raises what really went wrong inside it
        raise AttributeError(_NoAttribute(self, name), obj=self)

    def __delattr__(self, name: str) -> None:
        for kind in _KINDS:
            if name in self.__dict__.get(kind, ()):
                del self.__dict__[kind][name]
                if kind == "_buffers":
                    self._set_persistence(name, True)
                return
        object.__delattr__(self, name)

    def __dir__(self):
        names = [*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers]
        return sorted({name for name in names if not name[0].isdigit()})

    def _initialised(self, kind: str, what: str) -> Members:
        """The table of that kind, or the error that says `super().__init__()` is missing."""
        members = self.__dict__.get(kind)
        if members is None:
            raise error("no-module-init", what=what, module=type(self).__name__)
        return members

    def _forget(self, name: str, keep: str) -> None:
        """Remove `name` wherever it is registered as something else."""
        own = self.__dict__
        if name not in own or name in own[keep]:
            return
        for kind in _KINDS:
            own[kind].pop(name, None)
        own.pop(name, None)
        self._set_persistence(name, True)

    def _set_persistence(self, name: str, persistent: bool) -> None:
        if not persistent:
            self.__dict__.setdefault("_non_persistent_buffers_set", set()).add(name)
        elif self._non_persistent_buffers_set:
            self._non_persistent_buffers_set.discard(name)

    # ---------------------------------------------------------- registration
    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make `param` a parameter of this module; None reserves the name.

        Raises:
            KeyError: the name is taken, empty, or contains a dot.
            TypeError: `param` is not a Parameter.
            ValueError: `param` was computed from other tensors.
        """
        parameters = self._initialised("_parameters", "parameter")
        self._check_name(name, "parameter", parameters)
        if param is not None and not isinstance(param, Parameter):
            raise error("argument-type",
                        TypeError(f"cannot assign '{typename(param)}' object to parameter '{name}' "
                                  "(torch.nn.Parameter or None required)"),
                        what=name, name=name, kind=type(param), must="an nn.Parameter or None",
                        fix="wrap it: net.{name} = nn.Parameter(tensor); or change the values only: with "
                            "torch.no_grad(): net.{name}.copy_(tensor).")
        if param is not None and param.grad_fn is not None:
            raise error("not-possible",
                        ValueError(f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                                   f"created explicitly. To express '{name}' as a function of another Tensor, "
                                   "compute the value in the forward() method."),
                        name=name,
                        why="{name} was computed from other tensors, so it is a result; a parameter is where a "
                            "computation begins.",
                        fix="make parameters of what it is computed from, and compute it in forward(); or keep its "
                            "values: nn.Parameter(x.detach()).")
        parameters[name] = _registered("parameter_registration", self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Keep `tensor` as state that no optimizer changes; it is saved unless `persistent` is False.

        >>> module = kobai.nn.Module()
        >>> module.register_buffer("mean", kobai.zeros(2))
        >>> module.mean, list(module.state_dict())
        (tensor([0., 0.]), ['mean'])
        """
        buffers = self._initialised("_buffers", "buffer")
        self._check_name(name, "buffer", buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise error("argument-type",
                        TypeError(f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or "
                                  "None required)"),
                        what=name, kind=type(tensor), must="a tensor or None")
        buffers[name] = _registered("buffer_registration", self, name, tensor)
        self._set_persistence(name, persistent)

    def add_module(self, name: str, module: Module | None) -> None:
        """Make `module` a submodule under `name`, which need not be an identifier."""
        modules = self._initialised("_modules", "module")
        if module is not None and not isinstance(module, Module):
            raise error("not-a-module", got=typename(module))
        self._check_name(name, "module", modules)
        modules[name] = _registered("module_registration", self, name, module)

    register_module = add_module

    def _check_name(self, name: str, what: str, members: Members) -> None:
        if not isinstance(name, str):
            raise error("argument-type", TypeError(f"{what} name should be a string. Got {typename(name)}"),
                        what="name", kind=type(name), must="a text")
        if "." in name:
            first = f'{what} name can\'t contain "."' + (f", got: {name}" if what == "module" else "")
            raise error("name-invalid", KeyError(first), name=repr(name), what=what, must="a name without dots")
        if name == "":
            raise error("name-invalid", KeyError(f'{what} name can\'t be empty string ""'), name="''", what=what,
                        must="a name with at least one letter")
        if name not in members and (name in self.__dict__ or hasattr(type(self), name)):
            raise error("name-taken", KeyError(f"attribute '{name}' already exists"), where=type(self), name=name)

    # --------------------------------------------------------------- calling
    def __call__(self, x: Any = _MISSING, /, *args: Any, **kwargs: Any) -> Any:
        # The call of nearly every layer and loss: one or two arguments and no hooks.
        if self._hooked or kwargs or x is _MISSING:
            return self._call_impl(*(() if x is _MISSING else (x, *args)), **kwargs)
        try:
            return self.forward(x, *args) if args else self.forward(x)
        except Exception as exc:
            blame(exc, self)
            raise

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._hooked:
                return call_with_hooks(self, args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as exc:
            blame(exc, self)
            raise

    _wrapped_call_impl = _call_impl

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass defines it."""
        raise error("no-forward", module=type(self).__name__)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile this module's `forward` in place, with the arguments of `kobai.compile`."""
        from .. import compile  # noqa: PLC0415 - the compiler is imported when it is used

        self.__dict__["_compiled_call_impl"] = compile(self.forward, *args, **kwargs)
        self.__dict__["_hooked"] = True         # leave the fast path of __call__

    def _forward_or_compiled(self) -> Callable:
        return self._compiled_call_impl or self.forward

    # ------------------------------------------------------------- converting
    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Module:
        """Replace the data of all parameters, their gradients and all buffers by `fn` of it.

        Parameters stay the same objects: optimizers hold them.
        """
        if recurse:
            for module in self.children():
                module._apply(fn)
        with no_grad():
            for name, param in self._parameters.items():
                if param is not None:
                    self._parameters[name] = _converted(param, fn)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def apply(self, fn: Callable[[Module], None]) -> Module:
        """Call `fn` on every submodule, then on this module; used to initialise.

        >>> def ones(module):
        ...     if isinstance(module, kobai.nn.Linear):
        ...         kobai.nn.init.ones_(module.weight)
        >>> kobai.nn.Sequential(kobai.nn.Linear(2, 1)).apply(ones)[0].weight
        Parameter containing:
        tensor([[1., 1.]], requires_grad=True)
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Module:
        """Move and cast all parameters and buffers in place: `to(device)`, `to(dtype)`, `to(tensor)`.

        Only floating-point and complex tensors are cast.
        """
        device, dtype, non_blocking = _parse_to(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise error("argument-value",
                        TypeError("nn.Module.to only accepts floating point or complex dtypes, but got desired "
                                  f"dtype={dtype}"),
                        what="dtype", value=dtype, must="a floating point or complex dtype",
                        fix="use torch.float32, torch.float64 or torch.bfloat16: parameters of whole numbers have no "
                            "gradients.")

        def convert(t: Tensor) -> Tensor:
            cast = dtype if t.is_floating_point() or t.is_complex() else None
            if t.is_meta and device is not None and Device(device).type != "meta":
                from ..meta import no_data  # noqa: PLC0415  (few programs use this device)
                raise no_data(" Please use torch.nn.Module.to_empty() instead of torch.nn.Module.to() when moving module "
                              "from meta to a different device.")
            return t.to(device, cast, non_blocking)

        return self._apply(convert)

    def to_empty(self, *, device: Any, recurse: bool = True) -> Module:
        """Move to `device` without copying values."""
        return self._apply(lambda t: empty_like(t, device=device), recurse)

    def type(self, dst_type: Any) -> Module:
        """Cast all parameters and buffers, whatever their dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def _cast(self, dtype: DType) -> Module:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self) -> Module:
        """Cast floating-point parameters and buffers to float32."""
        return self._cast(float32)

    def double(self) -> Module:
        """Cast floating-point parameters and buffers to float64."""
        return self._cast(float64)

    def half(self) -> Module:
        """Cast floating-point parameters and buffers to float16."""
        return self._cast(float16)

    def bfloat16(self) -> Module:
        """Cast floating-point parameters and buffers to bfloat16."""
        return self._cast(bfloat16)

    def cpu(self) -> Module:
        """Move all parameters and buffers to the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Module:
        """Move all parameters and buffers to a GPU."""
        return self._apply(lambda t: t.cuda(device))

    def share_memory(self) -> Module:
        """Move all parameters and buffers to memory that other processes see."""
        return self._apply(lambda t: t.share_memory_())

    # ------------------------------------------------------------------ modes
    def train(self, mode: bool = True) -> Module:
        """Set training mode here and below; it matters to Dropout, BatchNorm and their like.

        >>> layer = kobai.nn.Dropout(0.9).eval()
        >>> layer(kobai.ones(3))
        tensor([1., 1., 1.])
        """
        if not isinstance(mode, bool):
            raise error("argument-type", ValueError("training mode is expected to be boolean"), what="mode",
                        kind=type(mode), must="True or False")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Module:
        """Set evaluation mode; the same as `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Freeze (False) or thaw all parameters."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for param in self.parameters():
            if set_to_none:
                param.grad = None
            elif param.grad is None:
                continue
            elif param.grad.grad_fn is not None:
                param.grad.detach_().zero_()
            else:
                param.grad.requires_grad_(False).zero_()

    # ---------------------------------------------------------------- copying
    def __getstate__(self) -> dict[str, Any]:
        """Attributes, with each member once (in its table)."""
        own = self.__dict__
        mirrored = {name for kind in _KINDS for name in own.get(kind, ())}
        return {name: dict(value) if name in _KINDS else value
                for name, value in own.items() if name not in mirrored}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._adopt_tables()

    def _adopt_tables(self) -> None:
        own = self.__dict__
        for kind in _KINDS:
            own[kind] = Members(self, own.get(kind, ()))


class _NoAttribute:
    """The text of an AttributeError, put together when it is read: `hasattr` throws it away unread."""

    def __init__(self, module: Module, name: str) -> None:
        self.module, self.name = module, name

    def __str__(self) -> str:
        cls = type(self.module).__name__
        first = f"'{cls}' object has no attribute '{self.name}'"
        if "_modules" not in self.module.__dict__:
            return f"{first}\n{_NO_INIT_HINT[language()].format(cls)}"
        near = difflib.get_close_matches(self.name, dir(self.module), n=3, cutoff=0.6)
        return f"{first}\n{_NEAR[language()]}: {', '.join(near)}" if near else first

    __repr__ = __str__

    def __reduce__(self):
        return str, (str(self),)        # another process gets the text


_NEAR = {"en": "Near names", "ja": "近い名前"}
_NO_INIT_HINT = {"en": "Make super().__init__() the first line of {}.__init__.",
                 "ja": "{}.__init__ の最初の行で super().__init__() を呼んでください。"}


def _registered(kind: str, module: Module, name: str, value: Any) -> Any:
    """`value`, or what the global registration hooks made of it."""
    for hook in GLOBAL[kind].values():
        new = hook(module, name, value)
        value = value if new is None else new
    return value


def _converted(param: Tensor, fn: Callable[[Tensor], Tensor]) -> Tensor:
    """The parameter itself with other data; another one where it comes from or goes to the device "meta"."""
    grad, data = param.grad, fn(param)
    if data.is_meta != param.is_meta:
        return Parameter(data, param.requires_grad)
    param.data = data
    if grad is not None:
        param.grad = fn(grad).requires_grad_(grad.requires_grad)
    return param


def _parse_to(*args: Any, device=None, dtype=None, non_blocking=False, tensor=None, memory_format=None):
    """(device, dtype, non_blocking) of the arguments that `Tensor.to` takes."""
    for arg in args:
        if isinstance(arg, Tensor):
            tensor = arg
        elif isinstance(arg, DType):
            dtype = arg
        elif isinstance(arg, bool):
            non_blocking = arg
        elif arg is not None:
            device = arg
    if tensor is not None:
        device, dtype = tensor.device, tensor.dtype
    return device, dtype, non_blocking
