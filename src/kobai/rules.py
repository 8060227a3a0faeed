"""From an op's rules to two functions: `save` packs what the rules ask for, `vjp` applies them.

Rules ask by the names of their arguments. For each op class and set of inputs that need a gradient
the two functions are written as source, once: a page of Python instead of a loop on every call.
"""
from __future__ import annotations

from .diagnose import error
from .lifted import m


def read_signature(cls):
    forward = getattr(cls.forward, "__wrapped__", cls.forward)  # inherited while a profiler has replaced it
    code = getattr(forward, "__code__", None)
    if code is not None and "inputs" not in vars(cls):
        cls.inputs = code.co_varnames[1:code.co_argcount]
        cls.variadic = bool(code.co_flags & 4)
        if cls.variadic:
            cls.inputs = (*cls.inputs, code.co_varnames[code.co_argcount])


def read_rules(cls):
    """Collect d_x / vjp_x / vjp, and refuse names that no input has and arguments nobody can give."""
    taken = {"g", "y", "needs", "out", "tensors"} & set(cls.inputs)
    if taken:
        raise TypeError(  # plain: a fault of kobai's own
            f"{cls.__name__}: an input cannot be called {taken.pop()!r}; rules use that name")
    cls.rules, cls.joint = {}, getattr(cls, "vjp", None)
    # (the last two classes are Op and object, which have no rules)
    for name in dict.fromkeys(n for k in cls.__mro__[:-2] for n in vars(k) if n.startswith(("d_", "vjp_"))):
        target = name.partition("_")[2]
        if target not in cls.inputs:
            raise TypeError(f"{cls.__name__}.{name}: forward has no input {target!r}")  # plain: a fault of kobai's own
        cls.rules[target] = getattr(cls, name)
    for rule in (*cls.rules.values(), cls.joint):
        for ask in asks_of(rule):
            if ask not in _ALWAYS and ask not in cls.inputs and _of_input(ask) not in cls.inputs:
                raise TypeError(  # plain: a fault of kobai's own
                    f"{cls.__name__}: a rule asks for {ask!r}; it can have "
                    f"{sorted({*_ALWAYS, *cls.inputs})}, and the _shape and _dtype of an input")
    cls.differentiable = bool(cls.rules or cls.joint)


_ALWAYS = {"g", "y", "needs"}


def _of_input(ask):
    """ "x" of "x_shape" and "x_dtype"."""
    name, _, what = ask.rpartition("_")
    return name if what in ("shape", "dtype") else None


def asks_of(rule):
    code = getattr(rule, "__code__", None)
    return code.co_varnames[1:code.co_argcount] if code else ()


def compiled_rules(cls, mask, is_complex):
    """(save, vjp) for an op class whose inputs with a bit in `mask` need a gradient."""
    key = mask, is_complex
    found = cls._compiled.get(key)
    if found is None:
        found = cls._compiled.setdefault(key, _generate(cls, mask, is_complex))  # one for all threads
    return found


def _generate(cls, mask, is_complex):
    """Write the two functions as source: a page of Python instead of a loop on every call."""
    wanted = [(i, n) for i, n in enumerate(cls.inputs) if mask >> i & 1 or cls.variadic]
    rules = [cls.joint] if cls.joint else [cls.rules.get(n) for _, n in wanted]
    asks = list(dict.fromkeys(a for r in rules for a in asks_of(r) if a not in ("g", "needs")))
    cells = [f"t_{a}" for a in asks if a in cls.inputs] + ["out"] * ("y" in asks)
    place = {a: f"s[{i}]" for i, a in enumerate(asks)}
    scope = {"changed": _changed, "freed": _freed, "fit": fit, "conj": lambda v: m.conj(v),
             "watch": _watch}

    def arguments(rule, name):
        scope["rule_" + name] = rule
        return f"rule_{name}(op, {', '.join({'g': 'g', 'needs': 'needs'}.get(a) or place[a] for a in asks_of(rule))})"

    if cls.joint:
        result = arguments(cls.joint, "joint")
        scope["needs"] = tuple(bool(mask >> i & 1) for i in range(max(mask.bit_length(), len(cls.inputs))))
    else:
        result = f"({', '.join(_term(cls, i, n, mask, is_complex, arguments) for i, n in enumerate(cls.inputs))},)"
    lines = ["def vjp(node, g, s):", " op = node.op"]
    if cells:  # changed in place since it was saved?
        seen = " + ".join(f"s[{len(asks) + i}][0]" for i in range(len(cells)))
        lines += [" if s.__class__ is not tuple: freed(node)",
                  f" if {seen} != s[{len(asks) + len(cells)}]: changed(node)"]
    elif asks:
        lines += [" if s.__class__ is not tuple: freed(node)"]
    if cls.elementwise and len(cls.inputs) > 1:
        lines += [f" r = {result}", " return r if node.fit is None else fit(r, node.fit)"]
    else:
        lines += [f" return {result}"]
    values = [_saved_value(cls, a) for a in asks]
    star = "*" if cls.variadic else ""
    params = ", ".join(("*" if cls.variadic and n == cls.inputs[-1] else "") + n for n in cls.inputs)
    lines += [f"def save(y, out, tensors, {params}):"]
    if cells:
        names = [f"t_{n}" for n in cls.inputs]
        names[-1] = star + names[-1]
        lines += [f" ({', '.join(names)},) = tensors"]
        versions = [f"watch({c})" if _may_be_many(cls, c) else f"{c}._ver" for c in cells]
        lines += [f" v{i} = {v}" for i, v in enumerate(versions)]
        stamp = " + ".join(f"v{i}[0]" for i in range(len(cells)))
        lines += [f" return ({', '.join(values + [f'v{i}' for i in range(len(cells))] + [stamp])},)"]
    else:
        lines += [f" return ({', '.join(values)}{',' if values else ''})"]
    exec(compile("\n".join(lines), f"<kobai {cls.__name__}>", "exec"), scope)
    scope["vjp"].asks, scope["vjp"].cells = asks, len(cells)
    return scope["save"], scope["vjp"]


def _may_be_many(cls, cell):
    return cell == "out" and cls.outputs != 1 or cls.variadic and cell == "t_" + cls.inputs[-1]


def _term(cls, i, name, mask, is_complex, arguments):
    """Source of the gradient of one input."""
    rule = cls.rules.get(name)
    if not mask >> i & 1 or rule is None:
        return "None"
    if f"vjp_{name}" in dir(cls):
        return arguments(rule, name)
    if not callable(rule):
        return {1: "g", -1: "-g"}.get(rule, f"g * {rule!r}")
    d = arguments(rule, name)
    return f"g * conj({d})" if is_complex else f"g * {d}"


def _saved_value(cls, ask):
    for n in cls.inputs:
        many = cls.variadic and n == cls.inputs[-1]
        if ask == n + "_shape":
            return f"tuple([v.shape for v in {n}])" if many else f"{n}.shape"
        if ask == n + "_dtype":
            return f"tuple([v.dtype for v in {n}])" if many else f"{n}.dtype"
    return ask


class _watch:
    """The version cells of several tensors, read like one."""

    __slots__ = ("cells",)

    def __init__(self, tensors):
        self.cells = [t._ver for t in tensors]

    def __getitem__(self, i):
        return sum(c[0] for c in self.cells)


def fit(grads, shapes):
    """Sum gradients of broadcast inputs down to the inputs' shapes."""
    return tuple([g if g is None or shape is None else m.sum_to(g, shape) for g, shape in zip(grads, shapes)])


def _changed(node):
    raise error("inplace-saved", node=node)


def _freed(node):
    raise error("second-backward", node=node)


