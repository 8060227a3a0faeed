"""einsum: sums of products written with letters, as permutations, reshapes and matrix products."""
from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np

from ..op import dtype_of, m
from ..public import public
from ..tensor import Tensor
from .linear import Bmm, Dot, Mm

# A label is 0 to 51 for A-Z and a-z, and -1, -2, ... for the dimensions of an ellipsis from its end.
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DOTS = "..."


@public("torch")
def einsum(*args):
    """Sum of products of elements, by labels of dimensions.

    `einsum("ij,jk->ik", a, b)` multiplies elements with equal labels and sums over those not in the
    output. A label twice in one operand is its diagonal; "..." stands for any further dimensions;
    without "->" the output has the labels that occur once, in alphabetical order. Labels may also
    be lists of numbers: `einsum(a, [0, 1], b, [1, 2], [0, 2])`.

    >>> a = kobai.tensor([[1., 2.], [3., 4.]])
    >>> kobai.einsum("ij,kj->ik", a, a)
    tensor([[ 5., 11.],
            [11., 25.]])
    """
    terms, output, operands = _read(args)
    ndims = tuple([len(x.shape) for x in operands])
    labels, output = _labels(terms, output, ndims)
    sizes = _sizes(labels, operands)
    values = [_prepared(x, names, sizes) for x, names in zip(operands, labels)]
    for i, j in _order(values, output, sizes):
        (a, la), (b, lb) = values[i], values[j]
        rest = [v for k, v in enumerate(values) if k not in (i, j)]
        keep = set(output).union(*[names for _, names in rest])
        values = [*rest, _contract(a, la, b, lb, keep)]
    return _arranged(*values[0], output)


# ---- reading the arguments -------------------------------------------------------------------
def _read(args):
    """(terms, output or None, operands); a term is a tuple of labels and DOTS."""
    if len(args) < 2:
        raise ValueError("einsum(): must specify the equation string and at least one operand, or at least one operand "
                         "and its subscripts list")
    if isinstance(args[0], str):
        operands = args[1] if len(args) == 2 and isinstance(args[1], (list, tuple)) else args[1:]
        terms, output = _parsed(args[0])
    elif hasattr(args[0], "shape") and isinstance(args[1], (list, tuple)):
        operands = args[:len(args) // 2 * 2:2]
        terms = tuple([_sublist(v) for v in args[1::2]])
        output = _sublist(args[-1]) if len(args) % 2 else None
    else:
        raise TypeError("einsum(): argument 'equation' (position 1) must be str, not "
                        f"{type(args[0]).__name__}\n  fix: torch.einsum('ij,jk->ik', a, b)")
    for i, x in enumerate(operands):
        if not hasattr(x, "shape"):
            raise TypeError(f"expected Tensor as element {i} in argument 1, but got {type(x).__name__}")
    if len(operands) != len(terms):
        many = "more" if len(operands) > len(terms) else "fewer"
        raise RuntimeError(f"einsum(): {many} operands were provided than specified in the equation\n"
                           f"  cause: the equation has {len(terms)} terms, there are {len(operands)} operands.")
    return terms, output, operands


def _sublist(subscripts):
    for s in subscripts:
        if s is not Ellipsis and not 0 <= s < 52:
            raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
    return tuple([DOTS if s is Ellipsis else int(s) for s in subscripts])


@lru_cache(256)
def _parsed(equation):
    left, arrow, right = equation.partition("->")
    terms = tuple([_term(t, left, f"operand {i}") for i, t in enumerate(left.split(","))])
    if not arrow:
        return terms, None
    output = _term(right, equation, "the output", len(left) + 2)
    for s in output:
        if output.count(s) > 1:
            raise RuntimeError(f"einsum(): output subscript {_name(s)} appears more than once in the output")
    return terms, output


def _term(text, equation, where, at=None):
    out, i = [], 0
    while i < len(text):
        c = text[i]
        if text[i:i + 3] == DOTS:
            if DOTS in out:
                raise RuntimeError(f"einsum(): found '.' for {where} for which an ellipsis was already found")
            out.append(DOTS)
            i += 2
        elif c == ".":
            raise RuntimeError(f"einsum(): found '.' for {where} that is not part of any ellipsis")
        elif c in LETTERS:
            out.append(LETTERS.index(c))
        elif c != " ":
            place = equation.index(text) + i if at is None else at + i
            raise RuntimeError(f"einsum(): invalid subscript given at index {place} in the equation string, subscripts "
                               "must be in [a-zA-Z]")
        i += 1
    return tuple(out)


def _name(label):
    return LETTERS[label] if label != DOTS and label >= 0 else DOTS


# ---- labels ----------------------------------------------------------------------------------
@lru_cache(256)
def _labels(terms, output, ndims):
    """The labels of each operand's dimensions, and of the output's, with ellipses written out."""
    longest, labels = 0, []
    for i, (term, n) in enumerate(zip(terms, ndims)):
        more = n - len(term) + 1 if DOTS in term else 0
        if more < 0 or DOTS not in term and len(term) != n:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(term) - (DOTS in term)}) "
                + ("does not match the number of dimensions " if DOTS not in term else "is more than the number of "
                   "dimensions ") + f"({n}) for operand {i}"
                + (" and no ellipsis was given" if DOTS not in term else ""))
        longest = max(longest, more)
        labels.append(_written_out(term, more))
    if output is None:
        seen = [s for term in terms for s in term if s != DOTS]
        output = (DOTS, *sorted([s for s in seen if seen.count(s) == 1]))
    for s in output:
        if s != DOTS and not any(s in names for names in labels):
            raise RuntimeError(f"einsum(): output subscript {_name(s)} does not appear in the equation for any input "
                               "operand")
    return tuple(labels), _written_out(output, longest)


def _written_out(term, n):
    return tuple([s for t in term for s in (range(-n, 0) if t == DOTS else (t,))])


def _sizes(labels, operands):
    """{label: size}; a dimension of size 1 goes with any other size."""
    sizes = {}
    for i, (names, x) in enumerate(zip(labels, operands)):
        own = {}
        for s, n in zip(names, x.shape):
            if own.setdefault(s, n) != n:
                raise RuntimeError(f"einsum(): subscript {_name(s)} is repeated for operand {i} but the sizes don't "
                                   f"match, {n} != {own[s]}")
        for s, n in own.items():
            if sizes.get(s, 1) == 1:
                sizes[s] = n
            elif n not in (1, sizes[s]):
                raise RuntimeError(f"einsum(): subscript {_name(s)} has size {n} for operand {i} which does not "
                                   f"broadcast with previously seen size {sizes[s]}")
    return sizes


# ---- the work --------------------------------------------------------------------------------
def _prepared(x, names, sizes):
    """(value, labels): diagonals taken, and dimensions of size 1 left out that are larger elsewhere."""
    names = list(names)
    while len(set(names)) < len(names):
        s = next(s for s in names if names.count(s) > 1)
        i = names.index(s)
        j = names.index(s, i + 1)
        x = m.diagonal(x, 0, i, j)  # goes last
        names = [v for k, v in enumerate(names) if k not in (i, j)] + [s]
    thin = [k for k, s in enumerate(names) if x.shape[k] == 1 and sizes[s] != 1]
    if thin:
        x = m.squeeze(x, tuple(thin))
        names = [s for k, s in enumerate(names) if k not in thin]
    return x, tuple(names)


def _order(values, output, sizes):
    """Which two operands to multiply next, until one is left; products go to the end of the list."""
    if len(values) <= 2:
        return [(0, 1)] if len(values) == 2 else []
    return _best_order(tuple([names for _, names in values]), output, tuple(sorted(sizes.items())))


@lru_cache(256)
def _best_order(labels, output, sizes):
    """The order with the fewest multiplications (for many operands, about the fewest), by NumPy's search."""
    letter = dict(zip([s for s, _ in sizes], LETTERS))
    sizes = dict(sizes)
    text = ",".join(["".join([letter[s] for s in names]) for names in labels])
    shapes = [np.broadcast_to(0.0, [sizes[s] for s in names]) for names in labels]
    path, _ = np.einsum_path(f"{text}->{''.join([letter[s] for s in output])}", *shapes,
                             optimize="optimal" if len(labels) < 5 else "greedy")
    pairs, left = [], list(range(len(labels)))
    for step in path[1:]:  # usually of two operands
        first, *others = [left[i] for i in step]
        for other in others:
            pairs.append((left.index(first), left.index(other)))
            first = f"{first} {other}"
            left = [v for k, v in enumerate(left) if k not in pairs[-1]] + [first]
    return pairs


def _without(x, names, keep):
    """Sum over the labels that nobody asks for any more."""
    gone = [k for k, s in enumerate(names) if s not in keep]
    if not gone:
        return x, names
    return m.sum(x, tuple(gone)), tuple([s for s in names if s in keep])


def _permuted(x, names, order):
    return x if names == order else m.permute(x, tuple([names.index(s) for s in order]))


def _contract(a, la, b, lb, keep):
    """(product, labels) of two operands, summed over the shared labels that are not in `keep`."""
    a, la = _without(a, la, keep.union(lb))
    b, lb = _without(b, lb, keep.union(la))
    both = [s for s in la if s in lb]
    batch, summed = tuple([s for s in both if s in keep]), tuple([s for s in both if s not in keep])
    rows, columns = tuple([s for s in la if s not in lb]), tuple([s for s in lb if s not in la])
    out = batch + rows + columns
    if not summed:
        return _spread(a, la, out) * _spread(b, lb, out), out
    if dtype_of(a) != dtype_of(b):
        raise RuntimeError(f"expected scalar type {m.type_word(a)} but found {m.type_word(b)}")
    if batch and not rows and not columns:
        return m.sum(_permuted(a, la, out + summed) * _permuted(b, lb, out + summed),
                     tuple(range(len(out), len(la)))), out
    size = {**dict(zip(la, a.shape)), **dict(zip(lb, b.shape))}
    k, n_rows, n_columns = [prod([size[s] for s in part]) for part in (summed, rows, columns)]
    a, b = _permuted(a, la, batch + rows + summed), _permuted(b, lb, batch + summed + columns)
    shape = [size[s] for s in out]
    if batch:
        n = prod([size[s] for s in batch])
        y = Bmm()(_reshaped(a, (n, n_rows, k)), _reshaped(b, (n, k, n_columns)))
    elif not rows and not columns:
        y = Dot()(_reshaped(a, (k,)), _reshaped(b, (k,)))
    else:
        y = Mm()(_reshaped(a, (n_rows, k)), _reshaped(b, (k, n_columns)))
    return _reshaped(y, tuple(shape)), out


def _reshaped(x, shape):
    return x if tuple(x.shape) == shape else m.reshape(x, shape)


def _spread(x, names, out):
    """x with its dimensions where they are in `out`, and size 1 for the other labels."""
    order = tuple([s for s in out if s in names])
    x = _permuted(x, names, order)
    size = dict(zip(order, x.shape))
    return _reshaped(x, tuple([size.get(s, 1) for s in out]))


def _arranged(x, names, output):
    """The result: summed over what the output does not name, in its order."""
    x, names = _without(x, names, set(output))
    if not isinstance(x, Tensor) or names != output:
        return _permuted(x, names, output)
    return x


