"""torch.utils._pytree: containers as lists of leaves."""
import collections
import gc
import weakref

import pytest

import kobai
from kobai.pytree import flatten, tree_map, unflatten
from kobai.utils import _pytree


class Point:
    def __init__(self, x, y, name):
        self.x, self.y, self.name = x, y, name


_pytree.register_pytree_node(Point, lambda p: ([p.x, p.y], p.name), lambda children, name: Point(*children, name))


def test_flatten_and_back():
    tree = {"a": [1, (2, 3)], "q": collections.deque([4], maxlen=2), "d": collections.defaultdict(list, k=5)}
    leaves, spec = _pytree.tree_flatten(tree)
    assert leaves == [1, 2, 3, 4, 5]
    again = _pytree.tree_unflatten(leaves, spec)
    assert again == tree
    assert again["q"].maxlen == 2
    assert again["d"]["new"] == []


def test_maps():
    assert _pytree.tree_map(lambda a, b: a + b, [1, (2,)], [10, (20,)]) == [11, (22,)]
    assert _pytree.tree_map_only(int, lambda v: v + 1, [1, "a", {"b": 2}]) == [2, "a", {"b": 3}]
    assert _pytree.tree_any(lambda v: v > 2, [1, (3,)]) and not _pytree.tree_all(lambda v: v > 2, [1, (3,)])
    with pytest.raises(ValueError):
        _pytree.tree_map(lambda a, b: a, [1, 2], [1])


def test_a_class_that_was_registered_goes_through_transforms():
    p = Point(kobai.ones(2, 3), kobai.arange(2.0), "mine")
    out = kobai.vmap(lambda p: Point(p.x.sum() + p.y, p.y, p.name))(p)
    assert out.name == "mine"
    assert out.x.tolist() == [3, 4]
    g = kobai.func.grad(lambda p: (p.x.sum() * p.y.sum()))(p)
    assert g.y.tolist() == [6, 6]


def test_trees_keep_no_leaf_alive():
    """By reference counting alone: leaves may be large arrays, whose memory the next ones use."""
    class Leaf:
        pass

    gc.disable()
    try:
        leaf = Leaf()
        gone = weakref.ref(leaf)
        tree = unflatten(*flatten((1, [leaf, {"a": 2}])))
        tree_map(lambda v: v, tree)
        del leaf, tree
        assert gone() is None
    finally:
        gc.enable()
