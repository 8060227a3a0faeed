"""Nested tuples, lists, dicts and named tuples of values, flattened and put together again."""
from __future__ import annotations

from collections import OrderedDict


def flatten(tree, is_leaf=None):
    """(leaves, spec): `unflatten(leaves, spec)` gives the tree again."""
    leaves = []

    def walk(node):
        if is_leaf is not None and is_leaf(node):
            leaves.append(node)
            return None
        if isinstance(node, (tuple, list)):
            return type(node), None, [walk(v) for v in node]
        if isinstance(node, dict):
            return type(node), list(node), [walk(v) for v in node.values()]
        leaves.append(node)
        return None
    return leaves, walk(tree)


def unflatten(leaves, spec):
    """The tree of `spec` with these leaves."""
    it = iter(leaves)

    def build(s):
        if s is None:
            return next(it)
        kind, keys, children = s
        values = [build(c) for c in children]
        if keys is not None:
            return OrderedDict(zip(keys, values)) if kind is OrderedDict else dict(zip(keys, values))
        return kind(*values) if hasattr(kind, "_fields") else kind(values)
    return build(spec)


def tree_map(fn, tree, *others):
    """`fn` on each leaf (and the leaves of other trees of the same form)."""
    leaves, spec = flatten(tree)
    rest = [flatten(t)[0] for t in others]
    return unflatten([fn(*vs) for vs in zip(leaves, *rest, strict=True)], spec)


def broadcast(prefix, tree):
    """The leaves of `prefix` (a tree whose leaves may stand for whole subtrees), one per leaf of `tree`."""
    if isinstance(prefix, (tuple, list)) and isinstance(tree, (tuple, list)):
        if len(prefix) != len(tree):
            raise ValueError(f"expected {len(tree)} entries, got {len(prefix)}")
        return [leaf for p, t in zip(prefix, tree) for leaf in broadcast(p, t)]
    if isinstance(prefix, dict) and isinstance(tree, dict):
        return [leaf for k in tree for leaf in broadcast(prefix[k], tree[k])]
    return [prefix] * len(flatten(tree)[0])
