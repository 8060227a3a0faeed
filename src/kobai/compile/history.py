"""Results of transforms with a history (the model's parameters require grad): the program computes them and all that
their graph saves, and a function that is written for it makes the nodes of that graph, one for one, as
`kobai.autograd.again` does for gradients.
"""
from __future__ import annotations

import re

import numpy as np

from kobai.autograd.again import Text, Unlike
from kobai.autograd.node import Node, Port
from kobai.pytree import flatten, unflatten
from kobai.tensor import LiftedTensor, Tensor, edge_of, wrap


def has_history(result):
    """Whether a result of a function can be differentiated further."""
    return any(isinstance(t, Tensor) and t._rg for t in flatten(result)[0])


class History(Text):
    """Python that makes the results of a recorded function, with the graph behind them.

    Its variables: `o` the tensors that the program computed, `args`, `kwargs` and `tensors` what the function was
    called with.  `fixed` are the other tensors that the graph leads to, which have to be the same ones each time.
    """

    def __init__(self, recorder, start, leaves, spec):
        super().__init__(recorder, start)
        self.fixed: list = []
        self.scope["edge_of"] = edge_of
        given = [(t, name) for t, name in zip(leaves, _places(spec)) if isinstance(t, Tensor)]
        self._given = {id(t): name for t, name in given}
        for e in [*recorder.externals.values()]:
            if e.constant is None and e.holder is not None:
                self._know(e.array, e.holder)

    def _know(self, array, t):
        """Name what leads to a tensor that was there before, and its memory."""
        if id(t) in self.tensors:
            return
        name = self._given.get(id(t))
        if name is None:
            name = self.constant(t)
            self.fixed.append(t)
        self.tensors[id(t)], self.arrays[id(array)] = name, f"{name}._data"
        self.cells.setdefault(id(t._ver), f"{name}._ver")
        edge = edge_of(t)
        if edge is t:
            self.leaves[id(t)] = name
        elif edge is not None:
            known = self.first.setdefault(id(edge), f"edge_of({name})")
            self.alive.append(edge)
            if known != f"edge_of({name})":
                raise Unlike  # two tensors with one history now need not have one on the next call
            if isinstance(edge, Port):
                self.first[id(edge.node)] = "None"  # where the search for new nodes ends

    def results(self, result):
        """(build, arrays that the program has to compute, tensors that stay): build(o, args, kwargs, tensors) is `result`."""
        outs, spec = flatten(result)
        tensors = [t for t in outs if isinstance(t, Tensor)]
        if any(type(t) is LiftedTensor for t in tensors):
            raise Unlike
        for node in self.new_nodes(tensors):
            self.node(node)
        leaves = [self.tensor(t) if isinstance(t, Tensor) else self.constant(t) for t in outs]
        computed = self.computed
        self.scope.update(unflatten=unflatten, spec=spec)
        joined = leaves[0] if spec is None else f"unflatten([{', '.join(leaves)}], spec)"
        if spec is not None and spec[0] is tuple and not any(spec[2]):
            joined = f"({', '.join(leaves)},)"
        used = set(re.findall(r"\w+", "\n".join([joined, *self.lines])))
        fixed = [t for t in self.fixed if self.tensors[id(t)] in used]
        for name in [k for k in self.scope if k not in used]:
            del self.scope[name]
        return self.compiled("o, args, kwargs, tensors", joined), computed, fixed

    def leaf(self, t):
        """An input that a transform put into the place of the user's, on the same memory."""
        if type(t) is not Tensor or t._grad is not None or t._base is not None or not t.__dict__.keys() <= _MARKS:
            raise Unlike
        name = self.leaves[id(t)] = self.tensors[id(t)] = f"t{len(self.tensors)}"
        self.alive.append(t)
        self.lines.append(f" {name} = wrap({self._array(t._data)}); {name}._ver = {self._cell(t._ver)}; {name}._rg = True")
        if t.__dict__:
            self.lines.append(f" {name}.__dict__.update({self.constant(dict(t.__dict__))})")

    def place(self, node):
        return self.constant(node.where)

    def output(self, i):
        return f"o[{i}]._data"


_MARKS = {"_inside", "_closed"}  # see kobai.func.reverse


def _places(spec):
    """Expressions for the leaves of ((args, kwargs, tensors), {})."""
    (given, _) = spec[2]
    found: list = []
    for name, part in zip(("args", "kwargs", "tensors"), given[2]):
        _walk(name, part, found)
    return found


def _walk(name, spec, found):
    if spec is None:
        found.append(name)
        return
    kind, keys, children = spec
    if not isinstance(kind, type) or keys is not None and not all(type(k) in (str, int) for k in keys):
        raise Unlike  # a container that does not say where its values are
    for at, child in zip(range(len(children)) if keys is None else keys, children):
        _walk(f"{name}[{at!r}]", child, found)


def as_computed(arrays):
    """Tensors without a history on arrays that a program is to compute."""
    return tuple([wrap(a) for a in arrays])


def is_alike(found, plain):
    """Whether two results have the same graph: ops, edges, and what was saved up to rounding.

    Memory that the program shares between a result and something else has to be shared in `plain`, too: who changes
    the result would change that.
    """
    pairs = [(edge_of(a), edge_of(b)) for a, b in zip(flatten(found)[0], flatten(plain)[0]) if isinstance(a, Tensor)]
    arrays = [(a._array(), b._array()) for a, b in zip(flatten(found)[0], flatten(plain)[0]) if isinstance(a, Tensor)]
    results, seen = len(arrays), {}
    while pairs:
        a, b = pairs.pop()
        if (a is None) != (b is None) or id(a) in seen and seen[id(a)] is not b:
            return False
        if a is None or a is b or id(a) in seen:
            continue
        seen[id(a)] = b
        if isinstance(a, Tensor) and isinstance(b, Tensor):  # made by the transform itself
            if (a._rg, a._ver is b._ver, a.__dict__) != (b._rg, True, b.__dict__) or not np.shares_memory(a._data, b._data):
                return False
            continue
        if type(a) is not type(b) or not isinstance(a, Node) or (a.op, _fit(a), len(a.edges)) != (b.op, _fit(b), len(b.edges)) \
                or len(a.saved) != len(b.saved) or a.where != b.where or a.vjp.asks != b.vjp.asks:
            return False
        pairs += zip(a.edges, b.edges)
        arrays += [(x, y) for x, y in zip(a.saved, b.saved) if isinstance(y, np.ndarray)]
    return all(_is_close(x, y) for x, y in arrays) and _share_alike(arrays, results)


def _fit(node):
    """The shapes that its gradients have to be summed to, of inputs that get one."""
    fit = [None if e is None else f for f, e in zip(node.fit or (), node.edges)]
    return fit if any(f is not None for f in fit) else None


def _is_close(x, y):
    if not isinstance(x, np.ndarray) or (x.dtype, x.shape) != (y.dtype, y.shape) or x.size and x.strides != y.strides:
        return False
    if y.dtype.kind not in "fc":
        return y.dtype.kind == "V" or np.array_equal(x, y)
    rough = 1e-5 if y.dtype in (np.float64, np.complex128) else 1e-2
    most = np.abs(y[np.isfinite(y)]).max(initial=0)
    return np.allclose(x, y, rough, rough * float(most), equal_nan=True)


def _share_alike(arrays, results):
    return all(np.may_share_memory(x, other) == np.may_share_memory(y, same)
               for i, (x, y) in enumerate(arrays[:results]) for other, same in arrays[i + 1:])
