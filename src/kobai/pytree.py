"""Nested tuples, lists, dicts and other containers of values, flattened and put together again."""
from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from typing import Any, NamedTuple


class Container(NamedTuple):
    """A type of container that was registered, and what `unflatten` needs beside the values."""

    kind: type
    context: Any


_registered: dict[type, tuple] = {}  # type -> (flatten, unflatten)


def register(kind, flatten_fn, unflatten_fn):
    """Make a type a container: `flatten_fn(x)` gives (values, context), `unflatten_fn(values, context)` x again."""
    _registered[kind] = flatten_fn, unflatten_fn


register(deque, lambda d: (list(d), d.maxlen), lambda values, maxlen: deque(values, maxlen))
register(defaultdict, lambda d: (list(d.values()), (d.default_factory, tuple(d))),
         lambda values, context: defaultdict(context[0], zip(context[1], values)))


def flatten(tree, is_leaf=None):
    """(leaves, spec): `unflatten(leaves, spec)` gives the tree again."""
    leaves = []
    return leaves, _walk(tree, is_leaf, leaves)


# No functions inside functions here: one that calls itself is a cycle, which would keep the leaves until Python next
# looks for cycles, and with them the memory of large arrays.
def _walk(node, is_leaf, leaves):
    """The spec of a tree, whose leaves are appended."""
    if is_leaf is not None and is_leaf(node):
        leaves.append(node)
        return None
    if type(node) in _registered:
        values, context = _registered[type(node)][0](node)
        return Container(type(node), context), None, [_walk(v, is_leaf, leaves) for v in values]
    if isinstance(node, (tuple, list)):
        return type(node), None, [_walk(v, is_leaf, leaves) for v in node]
    if isinstance(node, dict):
        return type(node), list(node), [_walk(v, is_leaf, leaves) for v in node.values()]
    leaves.append(node)
    return None


def unflatten(leaves, spec):
    """The tree of `spec` with these leaves."""
    return _build(spec, iter(leaves))


def _build(spec, leaves):
    """The tree of a spec, with the next of the leaves."""
    if spec is None:
        return next(leaves)
    kind, keys, children = spec
    values = [_build(c, leaves) for c in children]
    if isinstance(kind, Container):
        return _registered[kind.kind][1](values, kind.context)
    if keys is not None:
        return OrderedDict(zip(keys, values)) if kind is OrderedDict else dict(zip(keys, values))
    return kind(*values) if hasattr(kind, "_fields") else kind(values)


def tree_map(fn, tree, *others):
    """`fn` on each leaf (and the leaves of other trees of the same form)."""
    leaves, spec = flatten(tree)
    rest = [flatten(t)[0] for t in others]
    return unflatten([fn(*vs) for vs in zip(leaves, *rest, strict=True)], spec)


def broadcast(prefix, tree):
    """The leaves of `prefix` (a tree whose leaves may stand for whole subtrees), one per leaf of `tree`.

    Raises ValueError where the two do not go together.
    """
    if type(prefix) in _registered and type(prefix) is type(tree):
        prefix, tree = [list(_registered[type(v)][0](v)[0]) for v in (prefix, tree)]
    if isinstance(prefix, (tuple, list)) and isinstance(tree, (tuple, list)):
        if len(prefix) != len(tree):
            raise ValueError(f"expected {len(tree)} entries, got {len(prefix)}")  # plain: vmap tells it on
        return [leaf for p, t in zip(prefix, tree) for leaf in broadcast(p, t)]
    if isinstance(prefix, dict) and isinstance(tree, dict):
        if prefix.keys() != tree.keys():
            raise ValueError(f"expected the keys {list(tree)}, got {list(prefix)}")  # plain: vmap tells it on
        return [leaf for k in tree for leaf in broadcast(prefix[k], tree[k])]
    if isinstance(prefix, (tuple, list, dict)):
        raise ValueError(f"a {type(prefix).__name__} does not fit a {type(tree).__name__}")  # plain: vmap tells it on
    return [prefix] * len(flatten(tree)[0])
