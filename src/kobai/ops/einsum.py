"""einsum: sums of products written with letters, as permutations, reshapes and matrix products."""
from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from ..diagnose import error
from ..dtypes import type_word
from ..op import dtype_of
from ..public import public
from .diagonal import Diagonal
from .elementwise import Mul
from .labels import shown_as
from .linear import Bmm, Dot, Mm
from .movement import Permute, Squeeze, UnsafeView
from .reduce import Sum

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
    plan = _plan(terms, output, tuple([tuple(x.shape) for x in operands]))
    if plan.multiplies:
        _check_dtypes(operands)
    values = list(operands)
    for op, places in plan.steps:
        values.append(op(*[values[i] for i in places]))
    return values[-1]


def _check_dtypes(operands):
    for x in operands:
        if dtype_of(x) != dtype_of(operands[0]):
            raise error("dtypes-differ", RuntimeError(
                f"expected scalar type {type_word(operands[0])} but found {type_word(x)}"),
                dtype=dtype_of(operands[0]), other_dtype=dtype_of(x),
                why="the tensors have different dtypes, {dtype} and {other_dtype}.",
                fix="convert them to one dtype, for example x.to({dtype}).")


# ---- reading the arguments -------------------------------------------------------------------
def _read(args):
    """(terms, output or None, operands); a term is a tuple of labels and DOTS."""
    if len(args) < 2:
        raise error("call-form", ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"), why="einsum() needs an equation and at least one tensor.",
            fix="write torch.einsum('ij,jk->ik', a, b).")
    if isinstance(args[0], str):
        operands = args[1] if len(args) == 2 and isinstance(args[1], (list, tuple)) else args[1:]
        terms, output = _parsed(args[0])
    elif hasattr(args[0], "shape") and isinstance(args[1], (list, tuple)):
        operands = args[:len(args) // 2 * 2:2]
        terms = tuple([_sublist(v) for v in args[1::2]])
        output = _sublist(args[-1]) if len(args) % 2 else None
    else:
        raise error("argument-type", TypeError(
            f"einsum(): argument 'equation' (position 1) must be str, not {type(args[0]).__name__}"), what="equation",
            kind=type(args[0]), must="a text", fix="write torch.einsum('ij,jk->ik', a, b).")
    for i, x in enumerate(operands):
        if not hasattr(x, "shape"):
            raise error("argument-type", TypeError(
                f"expected Tensor as element {i} in argument 1, but got {type(x).__name__}"), i=i, kind=type(x),
                why="operand {i} is of type {kind}, and einsum() multiplies tensors.",
                fix="convert it: torch.tensor(data).")
    if len(operands) != len(terms):
        many = "more" if len(operands) > len(terms) else "fewer"
        raise error("lengths-differ", RuntimeError(
            f"einsum(): {many} operands were provided than specified in the equation"), count=len(terms),
            other_count=len(operands),
            why="the equation has {count} terms, with commas between them, and there are {other_count} operands.",
            fix="write one term for each operand: 'ij,jk->ik' is for two.")
    return terms, output, operands


def _sublist(subscripts):
    for s in subscripts:
        if s is not Ellipsis and not 0 <= s < 52:
            raise error("position-range", ValueError(
                "einsum(): subscript in subscript list is not within the valid range [0, 52)"), value=s,
                why="{value} is no subscript: in lists they are the numbers 0 to 51.",
                fix="use numbers from 0 to 51, and Ellipsis for all other dimensions.")
    return tuple([DOTS if s is Ellipsis else int(s) for s in subscripts])


@lru_cache(256)
def _parsed(equation):
    left, arrow, right = equation.partition("->")
    terms = tuple([_term(t, left, f"operand {i}") for i, t in enumerate(left.split(","))])
    if not arrow:
        return terms, None
    output = _term(right, equation, "output", len(left) + 2)
    for s in output:
        if output.count(s) > 1:
            raise error("text-syntax", RuntimeError(
                f"einsum(): output subscript {_name(s)} appears more than once in the output"), text=repr(equation),
                s=_name(s), why="the output names {s} twice",
                fix="name each dimension of the result once; torch.diag_embed(x) puts values on a diagonal.")
    return terms, output


def _term(text, equation, where, at=None):
    out, i = [], 0
    while i < len(text):
        c = text[i]
        if text[i:i + 3] == DOTS:
            if DOTS in out:
                raise error("text-syntax", RuntimeError(
                    f"einsum(): found '.' for {where} for which an ellipsis was already found" if at is None else
                    "einsum(): found '.' for output but an ellipsis (...) was already found"), text=repr(equation),
                    why="one term has ... twice",
                    fix="write ... once in a term: it stands for all dimensions without a letter.")
            out.append(DOTS)
            i += 2
        elif c == ".":
            raise error("text-syntax", RuntimeError(
                f"einsum(): found '.' for {where} that is not part of any ellipsis" + " (...)" * (at is not None)),
                text=repr(equation), why="a single dot has no meaning",
                fix="write three dots, ..., for all dimensions without a letter.")
        elif c in LETTERS:
            out.append(LETTERS.index(c))
        elif c != " ":
            place = equation.index(text) + i if at is None else at + i
            raise error("text-syntax", RuntimeError(
                f"einsum(): invalid subscript given at index {place} in the equation string, subscripts must be in "
                "[a-zA-Z]"), text=repr(equation), char=repr(c), why="{char} is no letter",
                fix="name dimensions by the letters a to z and A to Z; a comma stands between operands, -> before the "
                    "output.")
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
            raise error("tensor-dims", RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(term) - (DOTS in term)}) "
                + ("does not match the number of dimensions " if DOTS not in term else "is more than the number of "
                "dimensions ") + f"({n}) for operand {i}"
                + (" and no ellipsis was given" if DOTS not in term else "")), i=i, n=n,
                count=len(term) - (DOTS in term),
                why="operand {i} has {n} dimensions, and its term in the equation names {count}.",
                fix="write one letter for each dimension; ... stands for any number of them.")
        longest = max(longest, more)
        labels.append(_written_out(term, more))
    if output is None:
        seen = [s for term in terms for s in term if s != DOTS]
        output = (DOTS, *sorted([s for s in seen if seen.count(s) == 1]))
    for s in output:
        if s != DOTS and not any(s in names for names in labels):
            raise error("name-unknown", RuntimeError(
                f"einsum(): output subscript {_name(s)} does not appear in the equation for any input operand"),
                s=_name(s), why="the output names {s}, and no operand has a dimension of that name.",
                fix="use letters of the operands in the output; for a new dimension, unsqueeze() the result.")
    return tuple(labels), _written_out(output, longest)


def _written_out(term, n):
    return tuple([s for t in term for s in (range(-n, 0) if t == DOTS else (t,))])


def _sizes(labels, shapes):
    """{label: size}; a dimension of size 1 goes with any other size."""
    sizes = {}
    for i, (names, shape) in enumerate(zip(labels, shapes)):
        own = {}
        for s, n in zip(names, shape):
            if own.setdefault(s, n) != n:
                raise error("dimension-size", RuntimeError(
                    f"einsum(): subscript {_name(s)} is repeated for operand {i} but the sizes don't match, {n} != "
                    f"{own[s]}"), s=_name(s), i=i, n=n, other=own[s],
                    why="operand {i} has {s} for two dimensions, of sizes {other} and {n}; a diagonal needs equal "
                        "sizes.", fix="use two different letters, or look at the shape of that operand.")
        for s, n in own.items():
            if sizes.get(s, 1) == 1:
                sizes[s] = n
            elif n not in (1, sizes[s]):
                raise error("dimension-size", RuntimeError(
                    f"einsum(): subscript {_name(s)} has size {n} for operand {i} which does not broadcast with "
                    f"previously seen size {sizes[s]}"), s=_name(s), i=i, n=n, other=sizes[s],
                    why="{s} has size {n} in operand {i} and size {other} in one before it.",
                    fix="the same letter means the same size: look at the shapes, and at the order of the letters.")
    return sizes


# ---- the plan --------------------------------------------------------------------------------
class Term(NamedTuple):
    """A value of the plan: its place in the list of values, and its dimensions' labels."""

    place: int
    names: tuple


@lru_cache(512)
def _plan(terms, output, shapes):
    """The ops of an einsum for operands of these shapes; looked up from the second call on."""
    labels, output = _labels(terms, output, tuple([len(s) for s in shapes]))
    plan = Plan(_sizes(labels, shapes), len(shapes))
    values = [plan.prepared(i, names, shape) for i, (names, shape) in enumerate(zip(labels, shapes))]
    for i, j in _order(values, output, plan.sizes):
        rest = [v for k, v in enumerate(values) if k not in (i, j)]
        keep = set(output).union(*[v.names for v in rest])
        values = [*rest, plan.contract(values[i], values[j], keep)]
    last = plan.without(values[0], set(output))
    if not plan.steps or last.names != output:
        plan.add(Permute(tuple([last.names.index(s) for s in output])), output, last)
    if plan.sums and plan.steps:
        op, places = plan.steps[-1]
        plan.steps[-1] = shown_as(op, "ViewBackward0"), places
    return plan


class Plan:
    """`steps` are pairs (op, places of its inputs); each appends its result to the list of values."""

    def __init__(self, sizes, operands):
        self.sizes, self.operands, self.steps, self.multiplies = sizes, operands, [], False
        self.sums = False  # whether two operands are multiplied and summed: PyTorch shows a view of the products

    def add(self, op, names, *terms):
        self.steps.append((op, tuple([t.place for t in terms])))
        return Term(self.operands + len(self.steps) - 1, names)

    def shape(self, names):
        return tuple([self.sizes[s] for s in names])

    def prepared(self, place, names, shape):
        """An operand with its diagonals taken, without dimensions of size 1 that are larger elsewhere."""
        names, shape, term = list(names), list(shape), Term(place, names)
        while len(set(names)) < len(names):
            i = next(k for k, s in enumerate(names) if names.count(s) > 1)
            j = names.index(names[i], i + 1)
            names, shape = ([v[k] for k in range(len(v)) if k not in (i, j)] + [v[i]] for v in (names, shape))
            term = self.add(Diagonal(0, i, j), tuple(names), term)
        thin = tuple([k for k, s in enumerate(names) if shape[k] == 1 and self.sizes[s] != 1])
        if thin:
            term = self.add(Squeeze(thin), tuple([s for k, s in enumerate(names) if k not in thin]), term)
        return term

    def without(self, x, keep):
        """Summed over the labels that nobody asks for any more."""
        gone = tuple([k for k, s in enumerate(x.names) if s not in keep])
        return self.add(Sum(gone, False), tuple([s for s in x.names if s in keep]), x) if gone else x

    def permuted(self, x, order):
        return x if x.names == order else self.add(Permute(tuple([x.names.index(s) for s in order])), order, x)

    def matrices(self, x, order, shape):
        """x with its dimensions in this order, taken together to a matrix, or a batch of them."""
        x = self.permuted(x, order)
        return x if self.shape(order) == shape else self.add(UnsafeView(shape), order, x)

    def contract(self, a, b, keep):
        """The product of two operands, summed over the shared labels that are not in `keep`."""
        a, b = self.without(a, keep.union(b.names)), self.without(b, keep.union(a.names))
        both = [s for s in a.names if s in b.names]
        batch, summed = tuple([s for s in both if s in keep]), tuple([s for s in both if s not in keep])
        rows, columns = (tuple([s for s in t.names if s not in both]) for t in (a, b))
        out = batch + rows + columns
        if not summed:
            return self.add(Mul(), out, self.spread(a, out), self.spread(b, out))
        self.sums = True
        if batch and not rows and not columns:  # products of rows: no matrices here
            y = self.add(Mul(), out + summed, self.permuted(a, out + summed), self.permuted(b, out + summed))
            return self.without(y, keep)
        self.multiplies = True
        n, k, i, j = [prod(self.shape(part)) for part in (batch, summed, rows, columns)]
        left, right = ((n, i, k), (n, k, j)) if batch else ((i, k), (k, j)) if out else ((k,), (k,))
        y = self.add(Bmm() if batch else Mm() if out else Dot(), out, self.matrices(a, batch + rows + summed, left),
                     self.matrices(b, batch + summed + columns, right))
        shape = self.shape(out)
        flat = (n, i, j) if batch else (i, j) if out else ()
        return y if shape == flat else self.add(UnsafeView(shape), out, y)

    def spread(self, x, out):
        """x with its dimensions where they are in `out`, and size 1 for the other labels."""
        x = self.permuted(x, tuple([s for s in out if s in x.names]))
        return x if x.names == out else self.add(
            UnsafeView(tuple([self.sizes[s] if s in x.names else 1 for s in out])), out, x)


# ---- the order of products -------------------------------------------------------------------
def _order(values, output, sizes):
    """Which two operands to multiply next, until one is left; products go to the end of the list."""
    if len(values) <= 2:
        return [(0, 1)] if len(values) == 2 else []
    letter = dict(zip(sizes, LETTERS))
    text = ",".join(["".join([letter[s] for s in v.names]) for v in values])
    path = _path(f"{text}->{''.join([letter[s] for s in output])}",
    [tuple([sizes[s] for s in v.names]) for v in values])
    pairs, left = [], list(range(len(values)))
    for step in path:  # usually of two operands
        first, *others = [left[i] for i in step]
        for other in others:
            pairs.append((left.index(first), left.index(other)))
            first = f"{first} {other}"
            left = [v for k, v in enumerate(left) if k not in pairs[-1]] + [first]
    return pairs


def _path(equation, shapes):
    """The fewest multiplications, by opt_einsum where it is installed: it knows more than NumPy of many operands."""
    try:
        from opt_einsum import contract_path  # noqa: PLC0415
    except ImportError:
        arrays = [np.broadcast_to(0.0, shape) for shape in shapes]
        return np.einsum_path(equation, *arrays, optimize="optimal" if len(shapes) < 5 else "greedy")[0][1:]
    return contract_path(equation, *shapes, shapes=True, optimize="auto")[0]
