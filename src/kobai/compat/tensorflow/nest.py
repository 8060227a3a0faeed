"""`tf.nest`: values nested in lists, tuples, dicts and named tuples. Dicts are visited in the order of their keys."""
from __future__ import annotations

from ...diagnose import error


def is_nested(value):
    """Whether `value` is a container that holds others."""
    return isinstance(value, (list, tuple, dict))


def flatten(structure, expand_composites=False):
    """The leaves in a list.

    >>> flatten({"b": [1, (2, 3)], "a": 0})
    [0, 1, 2, 3]
    """
    leaves = []
    _collect(structure, leaves)
    return leaves


def _collect(value, leaves):
    if isinstance(value, dict):
        for key in _keys(value):
            _collect(value[key], leaves)
    elif isinstance(value, (list, tuple)):
        for v in value:
            _collect(v, leaves)
    else:
        leaves.append(value)


def _keys(value):
    try:
        return sorted(value)
    except TypeError:
        return list(value)


def pack_sequence_as(structure, flat_sequence, expand_composites=False):
    """`flat_sequence` in the form of `structure`.

    >>> pack_sequence_as({"b": [1, 2], "a": 0}, [10, 11, 12])
    {'b': [11, 12], 'a': 10}
    """
    leaves = list(flat_sequence)
    want = len(flatten(structure))
    if want != len(leaves):
        raise error("lengths-differ",
                    ValueError(f"Structure had {want} atoms, but flat_sequence had {len(leaves)} items."),
                    what="flat_sequence", count=len(leaves), other="structure", other_count=want)
    return _build(structure, iter(leaves))


def _build(structure, leaves):
    if isinstance(structure, dict):
        values = {key: _build(structure[key], leaves) for key in _keys(structure)}
        return type(structure)((key, values[key]) for key in structure)
    if isinstance(structure, (list, tuple)):
        values = [_build(v, leaves) for v in structure]
        return type(structure)(*values) if hasattr(structure, "_fields") else type(structure)(values)
    return next(leaves)


def map_structure(func, *structures, **kwargs):
    """`func` of each leaf (and the leaves at the same places of further structures).

    >>> map_structure(lambda a, b: a + b, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    return pack_sequence_as(structures[0], [func(*vs) for vs in zip(*map(flatten, structures))])


def assert_same_structure(nest1, nest2, check_types=True, expand_composites=False):
    """Raise ValueError or TypeError unless both are nested in the same way."""
    if is_nested(nest1) != is_nested(nest2):
        raise error("operation-inputs", ValueError(
            f"The two structures don't have the same nested structure.\n\nFirst structure: {nest1}\n\n"
            f"Second structure: {nest2}"),
            why="the two are not nested alike: one has a list, a tuple, a dict or a key where the other has "
                "none.",
            fix="give both the same lists and tuples, and dicts of the same keys.")
    if not is_nested(nest1):
        return
    if check_types and type(nest1) is not type(nest2) and not (isinstance(nest1, dict) and isinstance(nest2, dict)):
        raise error("argument-type",
                    TypeError("The two structures don't have the same sequence type. "
                              f"First: {type(nest1)}, second: {type(nest2)}."),
                    what="the second structure", kind=type(nest2), first=type(nest1),
                    why="the first structure is of type {first} and the second of type {kind}.",
                    fix="convert one of them, or pass check_types=False.")
    if len(nest1) != len(nest2) or isinstance(nest1, dict) and set(nest1) != set(nest2):
        raise error("operation-inputs", ValueError(
            f"The two structures don't have the same nested structure.\n\nFirst structure: {nest1}\n\n"
            f"Second structure: {nest2}"),
            why="the two are not nested alike: one has a list, a tuple, a dict or a key where the other has "
                "none.",
            fix="give both the same lists and tuples, and dicts of the same keys.")
    pairs = [(nest1[k], nest2[k]) for k in nest1] if isinstance(nest1, dict) else list(zip(nest1, nest2))
    for a, b in pairs:
        assert_same_structure(a, b, check_types)
