"""Whether a graph is like one seen before: for each such graph a function is written that looks, without a loop.

Alike are graphs whose ops and edges are the same, and whose saved arrays have the same shapes, strides and dtypes and
are the same objects in the same places.  Looking at a node so takes 0.3 microseconds; describing it, ten times that.
"""
from __future__ import annotations

import numpy as np

_ndarray, _generic = np.ndarray, np.generic


class Pattern:
    """What is alike in graphs like the one behind `roots`, pairs (node, gradient), as lines of Python."""

    def __init__(self, roots):
        self.lines: list[str] = []
        self.scope: dict = {"ndarray": _ndarray, "asarray": np.asarray}
        self.nodes: dict = {}    # node: name
        self.order: list = []
        self.holding: set = set()
        self.leaves: dict = {}
        self.arrays: dict = {}   # id: name
        self.scalars: set = set()
        self.count = 0           # arrays met, each time counted
        self._unless(f"len(roots) == {len(roots)}")
        for i, (root, g) in enumerate(roots):
            self._put(f"r, g = roots[{i}]")
            self._edge("r", root)
            self._array("g", g)
        for node in self.order:  # grows meanwhile
            self._node(node)

    def function(self, picks, passed=None, everything=False):
        """f(roots) -> (arrays number `picks`, leaves, nodes with saved values), or None for a graph unlike it.

        `passed`: the numbers of the nodes that are returned, where these are not all. `everything`: all nodes are
        returned, and after them all arrays, each once and as it is.
        """
        distinct = [f"  if len({{{', '.join(names)}}}) != {len(names)}: return None"
                    for names in (list(self.nodes.values()), list(self.leaves.values())) if len(names) > 1]
        nodes = self.order if passed is None else [self.order[i] for i in passed]
        held = [self.nodes[node] for node in nodes if node in self.holding]
        if everything:
            held = list(self.nodes.values())
        picked = [f"asarray(a{i})" if f"a{i}" in self.scalars else f"a{i}" for i in picks]
        more = f", {several(list(self.arrays.values()))}" if everything else ""
        body = "\n".join([*self.lines, *distinct])
        text = (f"def match(roots):\n try:\n{body}\n except (AttributeError, TypeError, ValueError):\n  return None\n"
                f" return {several(picked)}, {several(list(self.leaves.values()))}, {several(held)}{more}\n")
        exec(compile(text, "<kobai pattern>", "exec"), self.scope)
        return self.scope["match"]

    # ---- lines ---------------------------------------------------------------------------
    def _put(self, line):
        self.lines.append("  " + line)

    def _unless(self, condition):
        self._put(f"if not ({condition}): return None")

    def _constant(self, value):
        name = f"c{len(self.scope)}"
        self.scope[name] = value
        return name

    def _array(self, name, a):
        """The array of that name is as this one."""
        known, own = self.arrays.get(id(a)), f"a{self.count}"
        self.count += 1
        if known is not None:
            return self._unless(f"{name} is {known}")
        self.arrays[id(a)] = own
        self._put(f"{own} = {name}")
        if a.__class__ is not _ndarray:
            self.scalars.add(own)
            return self._unless(f"{own}.__class__ is {self._constant(a.__class__)}")
        self._unless(f"{own}.__class__ is ndarray and {own}.shape == {a.shape} and {own}.strides == {a.strides} "
                     f"and {own}.dtype is {self._constant(a.dtype)}")

    def _node(self, node):
        name, vjp, saved = self.nodes[node], node.vjp, node.saved
        if saved:
            self.holding.add(node)
        op = self._constant(node.op)
        fit = "is None" if node.fit is None else f"== {self._constant(node.fit)}"
        self._unless(f"{name}.vjp is {self._constant(vjp)} and {name}.hooks is None and {name}.fit {fit} "
                     f"and ({name}.op is {op} or {name}.op == {op})")
        self._put(f"s = {name}.saved")
        self._unless(f"s.__class__ is tuple and len(s) == {len(saved)}")
        count = len(vjp.asks)
        if vjp.cells:
            versions = " + ".join(f"s[{i}][0]" for i in range(count, len(saved) - 1))
            self._unless(f"{versions} == s[-1]")
        for i, a in enumerate(saved[:count] if count != len(saved) else saved):
            self._saved(f"s[{i}]", a)
        edges = [f"e{i}" for i in range(len(node.edges))]
        self._unless(f"len({name}.edges) == {len(edges)}")
        if edges:
            self._put(f"{', '.join(edges)}, = {name}.edges")
        for edge, e in zip(edges, node.edges):
            self._edge(edge, e)

    def _saved(self, name, a):
        if a.__class__ is _ndarray or isinstance(a, _generic):
            self._array(name, a)
        elif a is None:
            self._unless(f"{name} is None")
        elif a.__class__ is float:  # -0.0 is not 0.0, and NaN is NaN
            self._unless(f"{name}.__class__ is float and {name}.hex() == {a.hex()!r}")
        else:
            self._unless(f"{name}.__class__ is {self._constant(a.__class__)} and {name} == {self._constant(a)}")

    def _edge(self, name, e):
        """What the variable `name` holds leads to the same place as the edge e."""
        known = self.nodes.get(e) or self.leaves.get(e) if e is not None else "None"
        if known is not None:
            return self._unless(f"{name} is {known}")
        if e._order is None:
            own = self.leaves[e] = f"l{len(self.leaves)}"
            self._unless(f"{name}._order is None")
        else:
            own = self.nodes[e] = f"n{len(self.order)}"
            self.order.append(e)
        self._put(f"{own} = {name}")


def several(names):
    """A tuple of these names, as source."""
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"
