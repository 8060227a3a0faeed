"""Look-up tables of vectors."""
from __future__ import annotations

from typing import Any

from .. import empty
from ..diagnose import error
from ..tensor import Tensor
from . import functional as F, init
from .module import Module
from .parameter import Parameter


class _Table(Module):
    """A weight with one row for each of `num_embeddings` indices."""

    def _make_table(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None,
                    given: Tensor | None,
                    freeze: bool, device, dtype) -> None:
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = _checked_row(padding_idx, num_embeddings)
        if given is None:
            table = empty((num_embeddings, embedding_dim), device=device, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not freeze)
            self.reset_parameters()
        else:
            if list(given.shape) != [num_embeddings, embedding_dim]:
                raise error("tensor-shape",
                            AssertionError("Shape of weight does not match num_embeddings and embedding_dim"),
                            what="_weight", shape=given.shape, want=(num_embeddings, embedding_dim))
            self.weight = Parameter(given, requires_grad=not freeze)

    def reset_parameters(self) -> None:
        """Standard normal; the row of `padding_idx` zero."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])


def _checked_row(row: int | None, n: int) -> int | None:
    if row is None:
        return None
    if not -n <= row < n:
        raise error("argument-value", AssertionError("Padding_idx must be within num_embeddings"), what="padding_idx",
                    value=row, low=-n, high=n - 1, must="a whole number between {low} and {high}")
    return row % n


class Embedding(_Table):
    """Row i of a table for each index i.

    Shape: (*) → (*, embedding_dim).

    >>> table = kobai.nn.Embedding.from_pretrained(kobai.tensor([[1.0, 2.0], [3.0, 4.0]]))
    >>> table(kobai.tensor([1, 0]))
    tensor([[3., 4.],
            [1., 2.]])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
        _weight: Tensor | None = None, _freeze: bool = False, device=None, dtype=None,
    ) -> None:
        super().__init__()
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self._make_table(num_embeddings, embedding_dim, padding_idx, _weight, _freeze, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
                           self.scale_grad_by_freq, self.sparse)

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}" + _unusual(
            self, padding_idx=None, max_norm=None, norm_type=2, scale_grad_by_freq=False) + (
            ", sparse=True" if self.sparse else "")

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None,
                        **kwargs: Any) -> Embedding:
        """A layer with this table, which is not trained unless `freeze` is False."""
        if embeddings.ndim != 2:
            raise error("tensor-dims", AssertionError("Embeddings parameter is expected to be 2-dimensional"),
                        what="embeddings", shape=embeddings.shape, need="{n}", n=2,
                        fix="give a table of shape (num_embeddings, embedding_dim), one row for each entry.")
        return cls(*embeddings.shape, _weight=embeddings, _freeze=freeze, padding_idx=padding_idx, **kwargs)


class EmbeddingBag(_Table):
    """The sum, mean or maximum of the rows of each bag of indices.

    A bag is a row of a 2-d input, or goes from one offset to the next of a 1-d input.

    >>> bag = kobai.nn.EmbeddingBag.from_pretrained(kobai.tensor([[1.0], [2.0], [4.0]]), mode="sum")
    >>> bag(kobai.tensor([0, 1, 2]), kobai.tensor([0, 2]))
    tensor([[3.],
            [4.]])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False, padding_idx: int | None = None, device=None, dtype=None,
        _freeze: bool = False,
    ) -> None:
        super().__init__()
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self._make_table(num_embeddings, embedding_dim, padding_idx, _weight, _freeze, device, dtype)

    def forward(self, input: Tensor, offsets: Tensor | None = None,
                per_sample_weights: Tensor | None = None) -> Tensor:
        return F.embedding_bag(input, self.weight, offsets, self.max_norm, self.norm_type,
                               self.scale_grad_by_freq,
                               self.mode, self.sparse, per_sample_weights, self.include_last_offset,
                               self.padding_idx)

    def extra_repr(self) -> str:
        return (f"{self.num_embeddings}, {self.embedding_dim}"
                + _unusual(self, max_norm=None, norm_type=2, scale_grad_by_freq=False)
                + f", mode={self.mode!r}" + _unusual(self, padding_idx=None))

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, *args: Any,
                        **kwargs: Any) -> EmbeddingBag:
        """A layer with this table, which is not trained unless `freeze` is False."""
        if embeddings.ndim != 2:
            raise error("tensor-dims", AssertionError("Embeddings parameter is expected to be 2-dimensional"),
                        what="embeddings", shape=embeddings.shape, need="{n}", n=2,
                        fix="give a table of shape (num_embeddings, embedding_dim), one row for each entry.")
        return cls(*embeddings.shape, *args, _weight=embeddings, _freeze=freeze, **kwargs)


def _unusual(module: Module, **defaults: Any) -> str:
    """", name=value" for what differs from its default."""
    return "".join(f", {name}={getattr(module, name)}" for name, default in defaults.items()
                   if getattr(module, name) != default)
