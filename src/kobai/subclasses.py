"""Classes that answer for themselves when functions are called on them: `__torch_function__`.

Subclasses of Tensor, and any class with a method of that name. Plain tensors pay nothing for them: a tensor of
such a class refuses its array to the short ways of `op.py`, which then take the general one, and that asks here;
what is no tensor at all makes a public function fail, and its `except` asks here (`public.py`).
"""
from __future__ import annotations

from sys import _getframe

from .autograd.mode import modes
from .autograd.node import inside
from .diagnose import error
from .general import Overridden, apply_any
from .lifted import m
from .tensor import LiftedTensor, Tensor

_held = Tensor.__dict__["_data"]
_DEFAULT = Tensor.__torch_function__.__func__
_SHORT_WAYS = frozenset(("kobai.op", "kobai.general"))  # the modules that apply ops
_NOT_FUNCTIONS = frozenset((  # attributes of Tensor that no class is asked about
    "__init__", "__new__", "__class__", "__init_subclass__", "__torch_function__", "__getattribute__", "__getattr__",
    "__setattr__", "__delattr__", "__dir__", "__slots__", "__dict__", "__weakref__", "__module__", "__doc__",
    "__hash__", "__setstate__", "__array_priority__", "__subclasshook__", "__sizeof__", "as_subclass"))


class DisableTorchFunctionSubclass:
    """Context manager: functions treat tensors of subclasses as plain tensors.

    >>> class Tagged(kobai.Tensor):
    ...     pass
    >>> t = kobai.ones(2).as_subclass(Tagged)
    >>> with DisableTorchFunctionSubclass():
    ...     type(t + 1) is kobai.Tensor
    True
    """

    def __enter__(self):
        self._before, modes.overrides = modes.overrides, False

    def __exit__(self, *exc):
        modes.overrides = self._before


def disabled(cls, func, types, args=(), kwargs=None):
    """The `__torch_function__` of classes whose tensors count as plain ones, such as nn.Parameter."""
    with DisableTorchFunctionSubclass():
        return func(*args, **kwargs or {})


def default(cls, func, types, args=(), kwargs=None):
    """Tensor's own `__torch_function__`: compute as on plain tensors; results are of class `cls`."""
    if not all(issubclass(cls, t) for t in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **kwargs or {})
        return result if func in _left_plain() else _converted(result, cls)


def _left_plain():
    return (Tensor.grad.__get__,)


def _converted(result, cls):
    """Tensors in `result` as instances of `cls`; lists and tuples of them, too."""
    if isinstance(result, Tensor):
        return result if isinstance(result, cls) or cls is Tensor else as_class(result, cls)
    if type(result) in (list, tuple) or hasattr(result, "_fields"):
        items = [_converted(v, cls) for v in result]
        return type(result)(*items) if hasattr(result, "_fields") else type(result)(items)
    return result


def as_class(t, cls):
    """The same memory and history as an instance of `cls`."""
    t = m.identity(t)
    if type(t) is not LiftedTensor:
        t.__class__ = cls
    return t


# ---- a class is made ---------------------------------------------------------------------------
def prepare(cls):
    """Have the methods and attributes of Tensor, called on instances of `cls` by a program, ask its class."""
    rule = getattr(cls.__torch_function__, "__func__", None)
    if rule is disabled or rule.__module__ == "kobai.nn.parameter":  # its tensors count as plain ones
        return
    cls._overriding = True
    if any(vars(base).get("_overriding") for base in cls.__mro__[1:]):
        return
    cls._data = property(_array, _held.__set__)
    known = {}
    for base in reversed(cls.__mro__):
        known.update(dict.fromkeys(vars(base), base))
    for name, found in list(vars(Tensor).items()):
        own = known[name]
        if (own is Tensor or own.__module__.startswith("torch.nn")) and _is_public(name) and name not in _NOT_FUNCTIONS:
            if isinstance(found, property):
                setattr(cls, name, _property(name))
            elif not isinstance(found, (classmethod, staticmethod)) and (hasattr(found, "__get__")):
                setattr(cls, name, _iterated if name == "__iter__" else _method(name))


def _is_public(name):
    return not name.startswith("_") or name.startswith("__") and name.endswith("__")


def _array(self):
    """The array: for everybody but the short ways while classes are asked."""
    if modes.overrides and _getframe(1).f_globals["__name__"] in _SHORT_WAYS:
        raise AttributeError("a tensor of a class with __torch_function__ takes the general way")  # plain: caught by the ops
    return _held.__get__(self)


# PyTorch's operators are these methods: what a class is asked to compute for `x + y` is Tensor.add.
_METHODS = {**{f"__{name}__": name for name in ("add", "sub", "mul", "matmul", "pow", "mod", "neg", "abs", "lt", "le", "gt",
                                                "ge")},
            **{f"__i{name}__": name + "_" for name in ("add", "sub", "mul", "pow")},
            "__radd__": "add", "__rmul__": "mul", "__truediv__": "div", "__itruediv__": "div_", "__mod__": "remainder",
            "__floordiv__": "floor_divide", "__rtruediv__": "__rdiv__"}


def _function(name):
    """The function of Tensor that computes what the method of this name does, under the name that PyTorch shows."""
    fn = getattr(Tensor, _METHODS.get(name, name), None) or getattr(Tensor, name)
    if fn.__name__ != name and name.startswith("__") and name not in _METHODS:
        fn.__name__ = name
    return fn


def _method(name):
    def call(self, *args, **kwargs):
        fn = getattr(Tensor, name)
        if modes.overrides and not inside[_getframe(1).f_code.co_filename]:
            return dispatch(_function(name), (self, *args), kwargs)
        return fn(self, *args, **kwargs)
    call.__name__ = call.__qualname__ = name
    return call


def _iterated(self):
    """The rows, of its class: an iterator of plain ones would be no tensor that could be given it."""
    return iter(dispatch(Tensor.unbind, (self, 0), {})) if modes.overrides and self._value.shape else Tensor.__iter__(self)


def _property(name):
    def read(self):
        found = vars(Tensor)[name]
        if modes.overrides and not inside[_getframe(1).f_code.co_filename]:
            return dispatch(found.__get__, (self,), {})
        return found.__get__(self)

    def write(self, value):
        found = vars(Tensor)[name]
        if modes.overrides and not inside[_getframe(1).f_code.co_filename]:
            return dispatch(found.__set__, (self, value), {})
        return found.__set__(self, value)

    def delete(self):
        vars(Tensor)[name].__delete__(self)
    return property(read, write, delete)


# ---- a function is called ----------------------------------------------------------------------
def overriding(values):
    """Those of `values`, one for each class, whose classes are to be asked: subclasses before their bases."""
    found = []
    for v in values:
        for one in v if type(v) in (list, tuple) else (v,):
            kind = type(one)
            if _asks(kind) and all(type(o) is not kind for o in found):
                place = next((i for i, o in enumerate(found) if issubclass(kind, type(o))), len(found))
                found.insert(place, one)
    return found


def _asks(kind):
    if issubclass(kind, Tensor):
        return modes.overrides and getattr(kind, "_overriding", False)
    return kind is not type and hasattr(kind, "__torch_function__")


def dispatch(func, args, kwargs):
    """The answer of the first class among the arguments that has one; TypeError if none has."""
    objects = overriding((*args, *kwargs.values()))
    result = _asked(objects, func, args, kwargs)
    if result is not NotImplemented:
        return result
    types = [type(o) for o in objects]
    listed = "\n".join(f"  - tensor subclass {t!r}" for t in types)
    raise error("not-defined", TypeError(
        f"Multiple dispatch failed for '{full_name(func)}'; all __torch_function__ handlers returned NotImplemented:"
        f"\n\n{listed}\n"),
        what=full_name(func), why="each of these classes was asked to compute {fn}(), and refused.", fn=func.__name__,
        fix="have __torch_function__ handle {fn}, or return super().__torch_function__(...) for the others.")


def _asked(objects, func, args, kwargs):
    types = tuple([type(o) for o in objects])
    for o in objects:
        result = o.__torch_function__(func, types, args, kwargs or None)
        if result is not NotImplemented:
            return result
    return NotImplemented


def ask_operand(name, self, other):
    """`self + other`, where `other` is no tensor but of a class to be asked: its answer, or NotImplemented."""
    return _asked([other], _function(name), (self, other), {})


def full_name(func):
    """The name under which programs know a function: "torch.add", "torch.Tensor.view"."""
    from .public import names  # noqa: PLC0415  (the public functions stand above)
    name = func.__name__
    for space in ("torch", "nn.functional", "linalg", "fft", "special"):
        if names.get(space, {}).get(name) is func:
            return ".".join(("torch", space, name)).replace("torch.torch", "torch")
    return f"torch.Tensor.{name}" if getattr(Tensor, name, None) is func else name


def at_op(op, inputs):
    """The result of an op on inputs of which some are of such classes, where no public function has asked them."""
    own = [o for o in overriding(inputs) if getattr(o.__torch_function__, "__func__", None) is not _DEFAULT]
    if own and below_a_border(2):  # so that they are asked about the function that the program called
        raise Overridden
    return dispatch(_function_of(op), tuple(inputs), {})


def _function_of(op):
    def call(*inputs):
        return apply_any(op, inputs)
    call.__name__ = call.__qualname__ = getattr(type(op), "name", "") or type(op).__name__.lower()
    return call


def below_a_border(depth):
    """Whether a public function is among the frames of kobai from here up to the program."""
    frame = _getframe(depth)
    while frame is not None and inside[frame.f_code.co_filename]:
        if frame.f_code.co_name == "call" and frame.f_globals["__name__"] == "kobai.public":
            return True
        frame = frame.f_back
    return False
