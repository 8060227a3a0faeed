"""`TensorShape`: the sizes of a tensor's dimensions, some or all of which may be unknown."""
from __future__ import annotations

from math import prod

from ...diagnose import error
from .errors import wrong_rank


class TensorShape:
    """A sequence of sizes, `None` where one is unknown; `TensorShape(None)` knows not even how many.

    >>> TensorShape([None, 3]), str(TensorShape([2, 3])), TensorShape([2, 3]) == (2, 3)
    (TensorShape([None, 3]), '(2, 3)', True)
    """

    __slots__ = ("_dims",)

    def __init__(self, dims):
        if dims is None:
            self._dims = None
        elif isinstance(dims, TensorShape):
            self._dims = dims._dims
        elif hasattr(dims, "__iter__"):
            self._dims = tuple([None if d is None else int(d) for d in dims])
        else:
            self._dims = (int(dims),)

    @property
    def rank(self):
        """How many dimensions there are, or None."""
        return None if self._dims is None else len(self._dims)

    ndims = rank

    @property
    def dims(self):
        """The sizes as a list, or None."""
        return None if self._dims is None else list(self._dims)

    def as_list(self):
        """The sizes as a list. Raises ValueError where not even their number is known."""
        return list(self._known("as_list()"))

    def num_elements(self):
        """The product of the sizes, or None."""
        return prod(self._dims) if self.is_fully_defined() else None

    def is_fully_defined(self):
        """Whether all sizes are known."""
        return self._dims is not None and None not in self._dims

    def assert_is_fully_defined(self):
        """Raise ValueError unless all sizes are known."""
        if not self.is_fully_defined():
            raise error("not-possible", ValueError(f"Shape {self} is not fully defined"),
                        what="the shape", shape=str(self), why="some sizes of {shape} are not known (None).",
                        fix="tf.shape(x) gives the sizes of a tensor that is there.")

    def is_compatible_with(self, other):
        """Whether a tensor can have both shapes."""
        other = TensorShape(other)._dims
        if self._dims is None or other is None:
            return True
        return len(self._dims) == len(other) and all(
            a == b or a is None or b is None for a, b in zip(self._dims, other))

    def assert_is_compatible_with(self, other):
        """Raise ValueError unless a tensor can have both shapes."""
        if not self.is_compatible_with(other):
            raise error("shapes-differ", ValueError(f"Shapes {self} and {other} are incompatible"),
                        what="one shape", shape=str(self), other="the other", other_shape=str(TensorShape(other)),
                        why="{shape} and {other_shape} do not agree in their number of dimensions or in a size.",
                        fix="None in a shape stands for any size.")

    def merge_with(self, other):
        """What is known of a tensor that has both shapes."""
        self.assert_is_compatible_with(other)
        other = TensorShape(other)
        if self._dims is None or other._dims is None:
            return other if self._dims is None else self
        return TensorShape([b if a is None else a for a, b in zip(self._dims, other._dims)])

    def concatenate(self, other):
        """These sizes followed by those."""
        other = TensorShape(other)._dims
        return TensorShape(None if self._dims is None or other is None else self._dims + other)

    def with_rank(self, rank):
        """This shape. Raises ValueError unless it has `rank` dimensions."""
        if self._dims is None:
            return TensorShape([None] * rank)
        if len(self._dims) != rank:
            raise wrong_rank(ValueError(f"Shape {self} must have rank {rank}"),
                             "the tensor", self._dims, "{n}", n=rank)
        return self

    def with_rank_at_least(self, rank):
        """This shape. Raises ValueError if it has fewer than `rank` dimensions."""
        if self._dims is not None and len(self._dims) < rank:
            raise wrong_rank(ValueError(f"Shape {self} must have rank at least {rank}"),
                             "the tensor", self._dims, "at least {n}", n=rank)
        return self

    def _known(self, what):
        if self._dims is None:
            raise error("not-possible", ValueError(f"{what} is not defined on an unknown TensorShape."),
                        why="the number of dimensions is not known.",
                        fix="give the dimensions, with None for sizes that are open: tf.TensorShape([None, 3]).")
        return self._dims

    def __len__(self):
        if self._dims is None:
            raise ValueError("Cannot take the length of shape with unknown rank.")  # plain: list() tries it
        return len(self._dims)

    def __iter__(self):
        return iter(self._known("__iter__"))

    def __bool__(self):
        return self._dims is not None

    def __getitem__(self, key):
        dims = self._known("__getitem__")
        return TensorShape(dims[key]) if isinstance(key, slice) else dims[key]

    def __add__(self, other):
        return self.concatenate(other)

    def __radd__(self, other):
        return TensorShape(other).concatenate(self)

    def __eq__(self, other):
        try:
            return self._dims == TensorShape(other)._dims
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self):
        return hash(self._dims)

    def __repr__(self):
        return f"TensorShape({None if self._dims is None else list(self._dims)})"

    def __str__(self):
        return "<unknown>" if self._dims is None else str(self._dims)

    def __reduce__(self):
        return TensorShape, (self._dims,)


TensorShape.__module__ = "tensorflow.python.framework.tensor_shape"


def sizes_of(shape):
    """A tuple of ints from what a program gives as a shape: numbers, tensors, lists of them."""
    if isinstance(shape, TensorShape):
        shape.assert_is_fully_defined()
        return shape._dims
    numpy = getattr(shape, "numpy", None)
    if numpy is not None:
        shape = numpy()
    if hasattr(shape, "__iter__"):
        return tuple([int(d) for d in shape])
    return (int(shape),)
