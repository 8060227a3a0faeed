"""A compiled call in its caller's graph: results with a history, and the backward pass that stands for the call's.

Around a small function most of the time is Python's, so what ties a call into the graph is written for the program:
a page without loops, or questions whose answers are known.
"""
from __future__ import annotations

import numpy as np

from kobai.autograd.node import Freed, Node, Port, here, next_order
from kobai.diagnose import error
from kobai.tensor import Tensor, edge_of


class CompiledFunctionBackward(Node):
    """The backward pass of a compiled function, in the graph of its caller."""

    __slots__ = ()


def vjp(node, g, s):
    """Gradients of what was differentiated, given those of the outputs."""
    if s.__class__ is Freed:
        raise error("second-backward", node=node)
    program, arrays, saved, version, leaves, *cells = s
    if sum([c[0] for c in cells]) != version:
        raise error("inplace-saved", node=node)
    given = []
    for v in g:
        if v.__class__ is not np.ndarray or not v.flags.c_contiguous:
            if isinstance(v, Tensor):
                return program.joint.differentiable(program, arrays, leaves, saved, g)
            v = np.asarray(v, order="C")
        given.append(v)
    back = program.back
    out = back.run(*given, *saved)
    if out is None:  # it is running already
        out = back.interpret([*given, *saved])
    return tuple([v if v.ndim else v[()] for v in out])


vjp.asks, vjp.cells = (), 0


def linker(program):
    """`program.joined` for results that share nothing with each other: written for this program, with what is known put in.

    Inputs that are no arguments are read where they are now: a tensor may have been given other memory and its own back.
    """
    joint = program.joint
    scope = {"new": object.__new__, "Tensor": Tensor, "Node": CompiledFunctionBackward, "vjp": vjp, "Port": Port,
             "here": here, "next_order": next_order, "edge_of": edge_of, "program": program, "bound": program.bound,
             "outs": program.outs, "results": program.results, "ndarray": np.ndarray}
    leaves, names = [f"a{i}" for i in range(len(program.arguments))], {}

    def named(source):
        kind, what, *_ = source
        if kind == "arg":
            return leaves[what]
        name = names.setdefault(id(what), f"t{len(names)}")
        scope[name] = what
        return name
    arrays = [f"{named(s)}._data" if s[0] in ("arg", "tensor") else f"bound[{i}]" for i, s in enumerate(program.sources)]
    edges = [f"{t} if {t}._rg and {t}._base is None and {t}._node is None else edge_of({t})"
             for t in map(named, program.differentiated)]
    cells = [f"r{i}._ver" for i in program.kept] + [f"{named(s)}._ver" for s in program.watched]
    seen = [f"c{k}" for k in range(len(cells))]
    turned = program.shared.turned
    saved = [arrays[i] for i in joint.inputs]
    saved += [f"outputs[{i}].transpose({turned[i]})" if i in turned else f"outputs[{i}]" for i in joint.saved]
    stamp = " + ".join(f"{c}[0]" for c in seen) or "0"
    whole = ["program", _tuple(arrays), _tuple(saved), stamp, _tuple(leaves), *seen]
    lines = [f"def joined({', '.join(['outputs', *leaves])}):", *_results(program, leaves, scope),
             *[f" {c} = {cell}" for c, cell in zip(seen, cells)],
             " node = new(Node)", " node.op = node.fit = node.hooks = None", " node.vjp, node.extra = vjp, {'outs': outs}",
             f" node.edges, node.saved = {_tuple(edges)}, {_tuple(whole)}", " node.where, node._order = here(2), next_order()",
             *[f" r{i}._node = Port(node, {number})" for i, number in program.open], _returned(program)]
    exec(compile("\n".join(lines), "<kobai joined>", "exec"), scope)
    return scope["joined"]


def _results(program, leaves, scope):
    """Lines that make the results: r0, r1, ..."""
    lines, opened = [], {i for i, _ in program.open}
    windows = {i: window for i, *window, _ in program.shared.windows}
    repeated = {w[0] for w in program.shared.windows if not w[-1]}  # elements, so that they are not written
    for i, r in enumerate(program.results):
        data = f"outputs[{r.number}]"
        if i in windows:
            shape, scope[f"kind{i}"], offset, strides = windows[i]
            data = f"ndarray({shape}, kind{i}, {data}, {offset}, {strides})"
        if i not in opened or r.kind is not Tensor:
            lines.append(f" r{i} = program.returned(results[{i}], outputs, {_tuple(leaves)})")
            lines += [f" r{i}._data = {data}"] if i in windows else []
        else:
            lines += [f" r{i} = new(Tensor)", f" r{i}._data, r{i}._ver = {data}, [0, None]",
                      f" r{i}._base, r{i}._grad, r{i}._rg = None, None, True"]
        if i in repeated:
            lines.append(f" r{i}._data.flags.writeable = False")
    return lines


def _returned(program):
    """The last line: what the function gives."""
    results = ", ".join(f"r{i}" for i in range(len(program.results)))
    return f" return {results}" if program.spec is None else f" return program._put_together([{results}])"


def _tuple(parts):
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
