"""An approximate softmax for very many classes."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .. import cat
from ..diagnose import error
from ..tensor import Tensor
from . import functional as F
from .containers import ModuleList, Sequential
from .linear import Linear
from .module import Module


class _ASMoutput(NamedTuple):
    """Log-probability of each target, and the mean loss."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Frequent classes in a head, rare ones in clusters computed only when needed (Grave et al. 2017).

    Args:
        in_features: number of features.
        n_classes: number of classes, the most frequent first.
        cutoffs: where the head ends and each further cluster begins.
        div_value: each cluster's size is the one before, divided by this.

    >>> loss = kobai.nn.AdaptiveLogSoftmaxWithLoss(16, 10, cutoffs=[3, 6])
    >>> loss(kobai.ones(2, 16), kobai.tensor([1, 8])).output.shape
    torch.Size([2])
    """

    def __init__(self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
                 head_bias: bool = False, device=None, dtype=None) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise error("argument-count", ValueError("cutoffs should be a sequence of length larger than 0"),
                        what="cutoffs", count=0, need="at least {n}", n=1,
                        fix="give the class numbers where the groups of rarer classes begin: cutoffs=[100, 1000].")
        if (cutoffs != sorted(set(cutoffs)) or min(cutoffs) <= 0 or max(cutoffs) > n_classes - 1
                or any(int(c) != c for c in cutoffs)):
            raise error("argument-value",
                        ValueError("cutoffs should be a sequence of unique, positive integers sorted in an "
                                   "increasing order, where each value is between 1 and n_classes-1"), what="cutoffs",
                        value=cutoffs, last=n_classes - 1,
                        must="a list of different whole numbers from 1 to {last}, the smallest first")
        where = {"device": device, "dtype": dtype}
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **where)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            inner = int(in_features // div_value ** (i + 1))
            classes = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(Sequential(Linear(in_features, inner, bias=False, **where),
                                        Linear(inner, classes, bias=False, **where)))

    def reset_parameters(self) -> None:
        """As `Linear.reset_parameters`, for each part."""
        self.head.reset_parameters()
        for down, up in self.tail:
            down.reset_parameters()
            up.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        batched = self._checked(input_, target_)
        x, classes = (input_, target_) if batched else (input_.unsqueeze(0), target_.unsqueeze(0))
        head_column = classes                   # the shortlist's classes stand in the head themselves
        parts = []
        for i, tail in enumerate(self.tail):
            low, high = self.cutoffs[i], self.cutoffs[i + 1]
            inside = (classes >= low) & (classes < high)
            rows = inside.nonzero().squeeze(1)
            if rows.numel() == 0:
                continue
            head_column = head_column.masked_fill(inside, self.shortlist_size + i)
            within = F.log_softmax(tail(x.index_select(0, rows)), dim=1)
            local = within.gather(1, (classes.index_select(0, rows) - low).unsqueeze(1))
            parts.append((rows, local.squeeze(1)))
        output = F.log_softmax(self.head(x), dim=1).gather(1, head_column.unsqueeze(1)).squeeze(1)
        for rows, local in parts:
            output = output.index_add(0, rows, local)
        loss = (-output).mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    def _checked(self, input: Tensor, target: Tensor) -> bool:
        """Raise unless the shapes fit and the classes exist; whether there is a batch."""
        if target.ndim == 1:
            if input.shape[0] != target.shape[0]:
                raise error("shapes-differ",
                            RuntimeError("Input and target should have the same size in the batch dimension."),
                            what="input", shape=input.shape, other="target", other_shape=target.shape,
                            must="dimension 0 of both, the batch, must have the same size")
            if input.ndim != 2:
                raise error("tensor-dims",
                            RuntimeError("1D target tensor expects 2D input tensors, but found inputs with size "
                                         f"{input.shape}"), what="input", shape=input.shape, need="{n}", n=2,
                            fix="a target of shape (batch,) goes with an input of shape (batch, features).")
        elif target.ndim == 0:
            if input.ndim != 1:
                raise error("tensor-dims",
                            RuntimeError("0D target tensor expects 1D input tensors, but found inputs with size "
                                         f"{input.shape}"), what="input", shape=input.shape, need="{n}", n=1,
                            fix="a target without dimensions goes with an input of shape (features,); for a batch "
                                "give it shape (batch,).")
        else:
            raise error("tensor-dims", RuntimeError("0D or 1D target tensor expected, multi-target not supported"),
                        what="target", shape=target.shape, need="{n} or {m}", n=0, m=1,
                        fix="give one class number for each row of input; target.squeeze(-1) drops a last dimension "
                            "of size 1.")
        if target.numel() and not 0 <= int(target.min()) <= int(target.max()) < self.n_classes:
            raise error("data-range",
                        RuntimeError(f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                                     f"[{target.min().item()}, {target.max().item()}] were found. "), what="target",
                        value=int(target.min() if target.min() < 0 else target.max()), last=self.n_classes - 1,
                        must="a class number from 0 to {last}")
        return target.ndim == 1

    def _get_full_log_prob(self, input: Tensor, head_output: Tensor) -> Tensor:
        head = F.log_softmax(head_output, dim=1)
        parts = [head[:, :self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            parts.append(F.log_softmax(tail(input), dim=1) + head[:, self.shortlist_size + i].unsqueeze(1))
        return cat(parts, 1)

    def log_prob(self, input: Tensor) -> Tensor:
        """Log-probabilities of all classes: (N, in_features) → (N, n_classes)."""
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each row; clusters are computed only where the head points to one."""
        head = self.head(input)
        best = head.argmax(dim=1)
        in_cluster = best >= self.shortlist_size
        if not bool(in_cluster.any()):
            return best
        if bool(in_cluster.all()):
            return self._get_full_log_prob(input, head).argmax(dim=1)
        rows = in_cluster.nonzero().squeeze(1)
        full = self._get_full_log_prob(input.index_select(0, rows), head.index_select(0, rows))
        return best.index_copy(0, rows, full.argmax(dim=1))
