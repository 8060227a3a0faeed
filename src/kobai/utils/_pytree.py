"""torch.utils._pytree, which libraries use though it is private: nested containers as lists of leaves."""
from __future__ import annotations

from .. import pytree as _pytree

__all__ = ["register_pytree_node", "tree_all", "tree_any", "tree_flatten", "tree_leaves", "tree_map", "tree_map_",
           "tree_map_only", "tree_unflatten"]


def register_pytree_node(cls, flatten_fn, unflatten_fn, **more):
    """Make a class a container: `flatten_fn(x)` gives (children, context), `unflatten_fn(children, context)` x again."""
    _pytree.register(cls, flatten_fn, unflatten_fn)


def tree_flatten(tree, is_leaf=None):
    """(leaves, spec) of a tree.

    >>> kobai.utils._pytree.tree_flatten({"a": [1, (2,)]})[0]
    [1, 2]
    """
    return _pytree.flatten(tree, is_leaf)


def tree_unflatten(leaves, treespec):
    """The tree of `treespec` with these leaves."""
    return _pytree.unflatten(leaves, treespec)


def tree_leaves(tree, is_leaf=None):
    """The leaves of a tree."""
    return _pytree.flatten(tree, is_leaf)[0]


def tree_map(func, tree, *rests, is_leaf=None):
    """`func` on each leaf, and the leaves of other trees of the same form."""
    leaves, spec = _pytree.flatten(tree, is_leaf)
    return _pytree.unflatten([func(*v) for v in zip(leaves, *[tree_leaves(r, is_leaf) for r in rests], strict=True)], spec)


def tree_map_(func, tree, *rests, is_leaf=None):
    """`func` on each leaf for what it does; the tree itself."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only(kind, func, tree, is_leaf=None):
    """`func` on the leaves of a type (or of several, or for which a function holds)."""
    chosen = kind if callable(kind) and not isinstance(kind, type) else lambda v: isinstance(v, kind)
    return tree_map(lambda v: func(v) if chosen(v) else v, tree, is_leaf=is_leaf)


def tree_all(pred, tree, is_leaf=None):
    """Whether `pred` holds for all leaves."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred, tree, is_leaf=None):
    """Whether `pred` holds for some leaf."""
    return any(map(pred, tree_leaves(tree, is_leaf)))
