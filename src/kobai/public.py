"""From ops and functions to public names: `kobai.tanh`, `Tensor.tanh`, `Tensor.tanh_`, `out=`."""
from __future__ import annotations

import re

import numpy as np

from .diagnose import error
from .general import Overridden
from .inplace import inplace as _inplace, inplace_op as _inplace_op, into as _into
from .later import after_loading
from .lifted import Lifted
from .op import Elementwise, apply1, apply2, apply_any, m, registry
from .tensor import Tensor

names: dict[str, dict[str, object]] = {}  # "torch", "Tensor", "nn.functional", ... -> name -> function

_ALIASES = {"axis": "dim", "keepdims": "keepdim"}  # NumPy's words, which PyTorch also takes
_RENAMED = set(_ALIASES.values())


def export(where, name, fn):
    """Make `fn` public as `name` in each of the namespaces `where` ("torch Tensor special")."""
    for space in where.split():
        if space == "Tensor":
            setattr(Tensor, name, fn)
        names.setdefault(space, {})[name] = fn


def public(where="torch Tensor", *, inplace=False, alias=(), name=None, numbers=False, form=False):
    """Export a function of tensors under its name, checked at the border.

    The function itself works on arrays, Tensors and lifted values, and is also `m.<name>`, for
    use in rules; the public one insists on a Tensor and takes `out=` and NumPy's argument names.
    With `inplace=True` there is also `Tensor.<name>_`; with `numbers=True` the first argument may be a number;
    `form=True` is as `by_form`.
    """
    def decorate(fn):
        if form:
            by_form(fn)
        own = name or fn.__name__
        if own not in vars(m):
            setattr(m, own, fn)
        checked = fn.__code__.co_varnames[:1] == ("input",)
        outer = _checked(fn, own, _OR_NUMBER if numbers else Tensor) if checked else _with_out(fn)
        spaces = where.split()
        for n in (own, *alias):
            export(where, n, outer)
            if "Tensor" in spaces and not _RENAMED & set(parameters(fn)):
                export("Tensor", n, fn)  # a method needs no check of its first argument
            if inplace:
                export(f"Tensor {where}" if "torch" in spaces else where, n + "_", _inplace_method(fn, n))
        return fn
    return decorate


def by_form(fn, ranks=False):
    """Mark a function whose ops follow from the form of its arguments: classes, dtypes, shapes, strides; values of numbers.

    It must not look at anything else that programs can change, nor draw random numbers. (Where it looks at elements of
    tensors, warns or changes something, that is noticed: it is then called each time.) Small calls are told their ops by
    machine code: see backends/forms.py.
    """
    formed.append((fn, ranks))
    return fn


def by_rank(fn):
    """The same of a function that looks at no sizes either, only at how many dimensions there are and whether one is 0.

    Where sizes do not fit, the op must raise (the function is asked what to say then).
    """
    return by_form(fn, True)


def asked_again(fn):
    """Mark a function that looks at elements of tensors, but only to raise where the op that comes next raises, too.

    One that is marked `by_form` may call it: where the op raises, the function is asked what is wrong.
    """
    checks.append(fn)
    return fn


formed: list = []  # (function, whether ranks do)
copies: dict = {}  # of such a function, by itself: what rules and other functions call in its place, once it asks machine code
checks: list = []


def parameters(fn):
    """The names of a function's parameters."""
    code = fn.__code__
    return code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]


_OR_NUMBER = (Tensor, bool, int, float, complex)


def _checked(fn, name, kinds):
    def call(input, *args, **kwargs):
        try:
            if not isinstance(input, Tensor):
                input = _number(input, kinds, name, (*args, *kwargs.values()))
            if not kwargs:
                return fn(input, *args)
            out = _clean(kwargs)
            y = fn(input, *args, **kwargs)
        except _FAILURES:
            if not _is_overridden((input, *args, *kwargs.values())):
                raise
            return _ask(call, (input, *args), kwargs)
        return y if out is None else _into(out, y)
    return _dress(call, fn, name)


def _number(v, kinds, name, others):
    """A first argument that is no tensor: a number, if the function takes one, beside a tensor."""
    if not isinstance(v, kinds) or name in _OF_A_TENSOR and not any([isinstance(o, Tensor) for o in others]):
        raise error("not-tensor", function=name, argument="input", place=1, got=type(v).__name__)
    return v if any([isinstance(o, (Tensor, Lifted)) for o in others]) else m.tensor(v)


_OF_A_TENSOR = "pow", "float_power"  # of two numbers PyTorch has sums, products and quotients only


def _with_out(fn):
    def call(*args, **kwargs):
        try:
            out = _clean(kwargs) if kwargs else None
            y = fn(*args, **kwargs)
            if y.__class__ is np.ndarray:  # rules may call the function on arrays, users may not
                raise _arrays(y, *args, *kwargs.values())
        except _FAILURES:
            if not _is_overridden((*args, *kwargs.values())):
                raise
            return _ask(call, args, kwargs)
        return y if out is None else _into(out, y)
    return _dress(call, fn, fn.__name__)


def _arrays(y, *given):
    """The error of a function that was given NumPy arrays in the place of tensors."""
    items = next((v for v in given if isinstance(v, (list, tuple))), given)
    place = next((i for i, v in enumerate(items) if isinstance(v, np.ndarray)), 0)
    return error("cat-element", place=place, got="numpy.ndarray")


_FAILURES = TypeError, AttributeError, ValueError, Overridden


def _is_overridden(values):
    """In the `except` of a public function: whether classes of its arguments are to be asked, here and not above."""
    from .subclasses import below_a_border, overriding  # noqa: PLC0415  (only where something failed)
    return bool(overriding(values)) and not below_a_border(3)


def _ask(fn, args, kwargs, out=None):
    """What they say."""
    from .subclasses import dispatch  # noqa: PLC0415
    return dispatch(fn, args, kwargs if out is None else {**kwargs, "out": out})


def _clean(kwargs):
    """Rename NumPy's keywords in place; take `out` out of them and return it."""
    for old, new in _ALIASES.items():
        if old in kwargs:
            kwargs[new] = kwargs.pop(old)
    return kwargs.pop("out", None)


def _dress(call, fn, name):
    call.__name__ = call.__qualname__ = name
    call.__doc__, call.__wrapped__, call.__module__ = fn.__doc__, fn, fn.__module__
    return call


def _inplace_method(fn, name):
    def method(self, *args, **kwargs):
        try:
            return _inplace(fn, self, *args, **kwargs)
        except TypeError as e:
            if hasattr(e, "code"):  # what PyTorch says of arguments names the method
                e.args = (e.args[0].replace(f"{name}()", f"{name}_()"), *e.args[1:])
            raise
    method.__name__ = method.__qualname__ = name + "_"
    method.__doc__ = f"In-place version of `{name}`."
    return method


# ---- elementwise ops export themselves -------------------------------------------------------
def _unary(op):
    def call(input, *, out=None):
        try:
            return apply1(op, input) if out is None else _into(out, apply1(op, input))
        except _FAILURES:
            if not _is_overridden((input,)):
                raise
            return _ask(call, (input,), {}, out)

    def call_(input):
        return _inplace_op(op, input)
    return call, call_


def _binary(op):
    def call(input, other, *, out=None):
        try:
            return apply2(op, input, other) if out is None else _into(out, apply2(op, input, other))
        except _FAILURES:
            if not _is_overridden((input, other)):
                raise
            return _ask(call, (input, other), {}, out)

    def call_(input, other):
        return _inplace_op(op, input, other)
    return call, call_


def _named(op, params):
    """Functions whose arguments have names of their own, such as lerp(input, end, weight)."""
    def call(*args, out=None, **kwargs):
        values = (*args, *[kwargs.pop(n) for n in params[len(args):] if n in kwargs])
        if kwargs or len(values) != len(params):
            raise error("call-form", TypeError(f"{call.__name__}() takes the arguments {', '.join(params)}"),
                        fn=f"{call.__name__}()", form=f"{call.__name__}({', '.join(params)})")
        try:
            y = apply_any(op, values)
        except _FAILURES:
            if not _is_overridden(values):
                raise
            return _ask(call, values, {}, out)
        return y if out is None else _into(out, y)

    def call_(self, *args, **kwargs):
        return _inplace_op(op, self, *args, *[kwargs[n] for n in params[1 + len(args):]])
    return call, call_


def _operators(op, name):
    """{"__mul__": ..., "__rmul__": ..., "__imul__": ...} of Python's operator `name`."""
    if len(op.inputs) == 1:
        return {f"__{name}__": lambda self: apply1(op, self)}

    def forward(self, other):
        try:
            return apply2(op, self, other)
        except (TypeError, NotImplementedError):
            return not_mine(other, self, f"__{name}__")

    def backward(self, other):
        try:
            return apply2(op, other, self)
        except (TypeError, NotImplementedError):
            return not_mine(other)

    def inplace(self, other):
        try:
            return _inplace_op(op, self, other)
        except (TypeError, NotImplementedError):
            return not_mine(other)

    def compare(self, other):  # NumPy has an answer for None
        return NotImplemented if other is None else forward(self, other)
    if name in ("eq", "ne"):
        return {f"__{name}__": compare}
    if not op.differentiable:  # Python has no __rlt__
        return {f"__{name}__": forward}
    return {f"__{name}__": forward, f"__r{name}__": backward, f"__i{name}__": inplace}


def not_mine(other, self=None, name=""):
    """Called in the `except` of an operator: what Python may ask the other operand about is NotImplemented."""
    if isinstance(other, OPERANDS):
        raise  # noqa: PLE0704  (the error that is being handled)
    if name and hasattr(type(other), "__torch_function__"):
        from .subclasses import ask_operand  # noqa: PLC0415  (only for such classes)
        return ask_operand(name, self, other)
    return NotImplemented


def operator(fn, name=""):
    """A method for a Python operator: for an operand of a foreign type it is NotImplemented."""
    def method(self, other):
        try:
            return fn(self, other)
        except (TypeError, AttributeError):
            return not_mine(other, self, name)
    return method


OPERANDS = (Tensor, bool, int, float, complex, np.ndarray, np.generic, Lifted)


@after_loading
def export_elementwise():
    """Functions, methods and operators of the parameterless elementwise ops made so far."""
    for cls in registry.here():
        if issubclass(cls, Elementwise) and not cls.fields and "exported" not in vars(cls):
            _export_one(cls)
            cls.exported = True


def _export_one(cls):
    name = vars(cls).get("name") or re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", cls.__name__).lower()
    op = cls()
    if name not in vars(m):
        setattr(m, name, op)
    where = getattr(cls, "public", "torch Tensor")
    if where:
        params = getattr(cls, "params", None)
        make = {1: _unary, 2: _binary}.get(len(cls.inputs)) if params is None else None
        call, call_ = make(op) if make else _named(op, params or cls.inputs)
        call.__name__, call_.__name__, call.__doc__ = name, name + "_", cls.__doc__
        call_.__doc__ = f"In-place version of `{name}`."
        for n in (name, *getattr(cls, "alias", ())):
            export(where, n, call)
            if getattr(cls, "inplace", True) and "Tensor" in where.split():
                export("torch Tensor" if "torch" in where.split() else "Tensor", n + "_", call_)
        if getattr(cls, "functional", False):
            export("nn.functional", name, call)
    if cls.operator:
        for dunder, method in _operators(op, cls.operator).items():
            if dunder not in vars(Tensor):  # a family may have its own, as for `1 - x`
                method.__name__ = dunder
                setattr(Tensor, dunder, method)


__all__ = ["asked_again", "by_form", "by_rank", "export", "export_elementwise", "names", "not_mine", "operator", "public"]
