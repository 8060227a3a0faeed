"""From ops and functions to public names: `kobai.tanh`, `Tensor.tanh`, `Tensor.tanh_`, `out=`."""
from __future__ import annotations

import re

from .inplace import inplace as _inplace
from .inplace import into as _into
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


def public(where="torch Tensor", *, inplace=False, alias=(), name=None):
    """Export a function of tensors under its name, checked at the border.

    The function itself works on arrays, Tensors and lifted values, and is also `m.<name>`, for
    use in rules; the public one insists on a Tensor and takes `out=` and NumPy's argument names.
    With `inplace=True` there is also `Tensor.<name>_`.
    """
    def decorate(fn):
        own = name or fn.__name__
        if not hasattr(m, own):
            setattr(m, own, fn)
        outer = _checked(fn, own) if fn.__code__.co_varnames[:1] == ("input",) else _with_out(fn)
        spaces = where.split()
        for n in (own, *alias):
            export(where, n, outer)
            if "Tensor" in spaces and not _RENAMED & set(parameters(fn)):
                export("Tensor", n, fn)  # a method needs no check of its first argument
            if inplace:
                export("Tensor torch" if "torch" in where.split() else where, n + "_", _inplace_method(fn, n))
        return fn
    return decorate


def parameters(fn):
    """The names of a function's parameters."""
    code = fn.__code__
    return code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]


def _checked(fn, name):
    def call(input, *args, **kwargs):
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
        if kwargs:
            out = _clean(kwargs)
            if out is not None:
                return _into(out, fn(input, *args, **kwargs))
        return fn(input, *args, **kwargs)
    return _dress(call, fn, name)


def _with_out(fn):
    def call(*args, **kwargs):
        if kwargs:
            out = _clean(kwargs)
            if out is not None:
                return _into(out, fn(*args, **kwargs))
        return fn(*args, **kwargs)
    return _dress(call, fn, fn.__name__)


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
        return _inplace(fn, self, *args, **kwargs)
    method.__name__ = method.__qualname__ = name + "_"
    method.__doc__ = f"In-place version of `{name}`."
    return method


# ---- elementwise ops export themselves -------------------------------------------------------
_TEMPLATE = """
def {name}({params}, *, out=None):
    if out is not None:
        return into(out, apply(OP, {params}))
    return apply(OP, {params})
def {name}_({params}):
    return inplace(OP, {params})
"""
_OPERATOR = """
def __{op}__(self, other):
    return apply(OP, self, other)
def __r{op}__(self, other):
    return apply(OP, other, self)
def __i{op}__(self, other):
    return inplace(OP, self, other)
"""
_UNARY = """
def __{op}__(self):
    return apply(OP, self)
"""
_PUBLIC = {1: ("input",), 2: ("input", "other")}


def export_elementwise():
    """Functions, methods and operators of the parameterless elementwise ops made so far."""
    for cls in registry:
        if issubclass(cls, Elementwise) and not cls.fields and "exported" not in vars(cls):
            cls.exported = True
            _export_one(cls)


def _export_one(cls):
    name = vars(cls).get("name") or re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", cls.__name__).lower()
    instance = cls()
    if not hasattr(m, name):
        setattr(m, name, instance)
    where = getattr(cls, "public", "torch Tensor")
    scope = {"OP": instance, "inplace": _inplace, "into": _into,
             "apply": {1: apply1, 2: apply2}.get(len(cls.inputs), lambda op, *a: apply_any(op, a))}
    if where:
        params = getattr(cls, "params", None) or _PUBLIC.get(len(cls.inputs)) or cls.inputs
        exec(compile(_TEMPLATE.format(name=name, params=", ".join(params)), f"<kobai {name}>", "exec"), scope)
        for n in (name, *getattr(cls, "alias", ())):
            scope[name].__doc__ = cls.__doc__
            export(where, n, scope[name])
            if getattr(cls, "inplace", True) and "Tensor" in where.split():
                export("torch Tensor" if "torch" in where.split() else "Tensor", n + "_", scope[name + "_"])
    if cls.operator:
        template = _OPERATOR if len(cls.inputs) == 2 else _UNARY
        exec(compile(template.format(op=cls.operator), f"<kobai {name}>", "exec"), scope)
        for form in ("__{}__", "__r{}__", "__i{}__"):
            dunder = form.format(cls.operator)
            if dunder in scope and (cls.differentiable or form == "__{}__"):  # Python has no __rlt__
                setattr(Tensor, dunder, scope[dunder])


__all__ = ["export", "export_elementwise", "names", "public"]
