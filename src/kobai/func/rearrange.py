"""rearrange: dimensions named on the left of an arrow, and put together anew on its right."""
from __future__ import annotations

import re
from functools import lru_cache
from math import prod
from typing import NamedTuple

from ..diagnose import error
from ..op import m
from ..tensor import Tensor

_DOTS = "…"


class _Pattern(NamedTuple):
    """Both sides as groups of names: "a (b c)" is ((a,), (b, c)); 1 and () are empty groups."""

    left: tuple
    right: tuple


def rearrange(tensor, pattern, **axes_lengths):
    """Permute, split and merge dimensions, as a pattern such as "b (h w) c -> b c h w" says.

    Names in parentheses share one dimension, "..." stands for any further ones, 1 or () for one of size 1.
    Args: `tensor`, or a sequence of tensors, which are stacked first; `axes_lengths`, sizes that the shape
    does not tell. Raises ValueError if the pattern does not fit.

    >>> kobai.func.rearrange(kobai.arange(6), "(h w) -> w h", w=2)
    tensor([[0, 2, 4],
            [1, 3, 5]])
    """
    x = tensor if isinstance(tensor, Tensor) else m.stack(list(tensor))
    left, right = _expanded(_parsed(pattern), x.ndim)
    sizes = _sizes(left, tuple(x.shape), axes_lengths)
    names, order = [[n for group in side for n in group] for side in (left, right)]
    split = x if all(len(g) == 1 for g in left) else m.reshape(x, tuple([sizes[n] for n in names]))
    turned = m.permute(split, tuple([names.index(n) for n in order])) if names != order else split
    shape = tuple([prod([sizes[n] for n in group]) for group in right])
    return turned if tuple(turned.shape) == shape else m.reshape(turned, shape)


@lru_cache(256)
def _parsed(pattern):
    """The pattern read; ValueError says what is wrong with it."""
    if pattern.count("->") != 1:
        raise error("text-syntax", ValueError("Pattern must contain a single '->' separator"), text=repr(pattern),
                    why="one arrow stands between the dimensions before and after",
                    fix="write the dimensions before, an arrow, and those after: 'b c h w -> b (c h w)'.")
    sides = _Pattern(*[_groups(side) for side in pattern.split("->")])
    for side in sides:
        names = [n for group in side for n in group]
        for n in names:
            if names.count(n) > 1:
                raise error("text-syntax", ValueError(f"Indexing expression contains duplicate dimension '{n}'"),
                            text=repr(pattern), why="the name {name} stands twice on one side", name=n,
                            fix="give each dimension a name of its own.")
    odd = {n for group in sides.left for n in group} ^ {n for group in sides.right for n in group}
    if odd:
        raise error("text-syntax",
                    ValueError(f"Identifiers only on one side of rearrange expression (should be on both): {odd}"),
                    text=repr(pattern), why="these names stand on one side only: {names}", names=sorted(odd),
                    fix="write each name on both sides; rearrange neither sums nor repeats.")
    return sides


def _groups(side):
    groups, inner = [], None
    for word in re.findall(r"\.\.\.|\w+|\S", side):
        if word == "(":
            if inner is not None:
                raise error("text-syntax",
                            ValueError("Axis composition is one-level (brackets inside brackets not allowed)"),
                            text=repr(side), why="a group stands inside a group",
                            fix="write one pair of parentheses: (a b c).")
            inner = []
        elif word == ")" and inner is not None:
            groups.append(tuple(inner))
            inner = None
        elif word == ")":
            raise error("text-syntax", ValueError(f"Imbalanced parentheses in expression: '{side}'"),
                        text=repr(side), why="a parenthesis has no partner",
                        fix="close each parenthesis that is opened: b (h w) c.")
        else:
            names = _names(word)
            if inner is None:
                groups.append(names)
            else:
                inner += [names] if names == _DOTS else names
    if inner is not None:
        raise error("text-syntax", ValueError(f"Imbalanced parentheses in expression: '{side}'"),
                    text=repr(side), why="a parenthesis has no partner",
                    fix="close each parenthesis that is opened: b (h w) c.")
    return tuple(groups)


def _names(word):
    """A word of the pattern as names: one, or none for a dimension of size 1."""
    if word == "...":
        return _DOTS
    if word.isidentifier():
        return (word,)
    if word == "1":
        return ()
    if word.isdigit():
        raise error("text-syntax", ValueError("rearrange only supports unnamed axes of size 1"),
                    text=repr(word), why="a number other than 1 stands for a dimension",
                    fix="give the dimension a name, and its size as an argument: rearrange(x, '(a b) -> a b', a=2).")
    raise error("text-syntax", ValueError(f"Unknown character '{word}'"),
                text=repr(word), why="it is neither a name nor a sign of patterns",
                fix="names, (groups), ... and 1 may stand in a pattern.")


def _expanded(sides, ndim):
    """The ellipsis as names of its own."""
    count = ndim - len([g for g in sides.left if g != _DOTS])
    more = tuple([f"{_DOTS}{i}" for i in range(count)])
    if _DOTS in sides.left and count >= 0:
        return [[g for group in side for g in _written_out(group, more)] for side in sides]
    if len(sides.left) != ndim:
        raise error("tensor-dims",
                    ValueError(f"Number of dimensions in pattern ({len(sides.left)}) must be equal to the number of dimensions "
                               f"in the tensor ({ndim})"),
                    what="the tensor", ndim=ndim, n=len(sides.left),
                    why="the tensor has {ndim} dimensions, and the left side of the pattern names {n}.",
                    fix="write one name (or group) for each dimension on the left; ... stands for any number.")
    return [list(side) for side in sides]


def _written_out(group, more):
    """A group with the names `more` for its ellipsis; an ellipsis outside of parentheses is as many groups."""
    if group == _DOTS:
        return [(n,) for n in more]
    return [tuple([name for n in group for name in (more if n == _DOTS else (n,))])]


def _sizes(left, shape, known):
    """{name: size}: what is given, and what follows from the shape."""
    names = {n for group in left for n in group}
    if set(known) - names:
        raise error("name-unknown", ValueError(f"Identifiers not found in rearrange expression: {set(known) - names}"),
                    where="the pattern", what="name", name=", ".join(sorted(set(known) - names)), names=sorted(names))
    sizes = dict(known)
    for group, n in zip(left, shape):
        open_ = [name for name in group if name not in sizes]
        have = prod([sizes[name] for name in group if name in sizes])
        if len(open_) > 1:
            raise error("argument-missing",
                        ValueError(f"cannot infer the sizes of two dimensions at once {open_[0]} and {open_[1]}"),
                        fn="rearrange()", what=f"the size of {open_[0]} or {open_[1]}", must="a whole number",
                        fix="pass one of them: rearrange(..., {name}=...)", name=open_[0])
        if n != have if not open_ else not have or n % have:
            raise error("size-divisible",
                        ValueError(f"Dimension sizes to do not match ({n} != {have}) when matching dimension pack "
                                   f"({' '.join(group)})"),
                        what="the dimension", value=n, by=have,
                        fix="change the sizes given, so that their product fits the dimension ({value}).")
        if open_:
            sizes[open_[0]] = n // have
    return sizes
