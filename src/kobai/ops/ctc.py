"""Connectionist temporal classification: the probability of a label sequence over all its alignments.

A. Graves et al., Connectionist temporal classification (2006). An alignment gives each time step a label
or a blank; repeated labels, then blanks, are taken out to get the sequence. States are the labels with
blanks between and around them, 2 S + 1 of them; alpha and beta are sums over the alignments up to and
from a state, in logarithms, for all samples of a batch at once.
"""
from __future__ import annotations

import numpy as np

from ..autograd.mode import modes
from ..diagnose import error
from ..op import Op, dtype_of, m
from ..public import public
from ..tensor import Tensor
from ..testing.samples import S
from .reduce import not_implemented


def _states(targets, blank):
    """(N, S) labels with blanks between and around: (N, 2 S + 1)."""
    states = np.full((targets.shape[0], 2 * targets.shape[1] + 1), blank, np.int64)
    states[:, 1::2] = targets
    return states


def _may_skip(states):
    """Whether a state may follow the one two before it: if it is another label (blanks follow blanks)."""
    skip = np.zeros(states.shape, bool)
    skip[:, 2:] = states[:, 2:] != states[:, :-2]
    return skip


def _emissions(log_probs, states):
    """The log-probability of each state's label at each time: (T, N, states)."""
    return np.take_along_axis(log_probs, np.broadcast_to(states, (log_probs.shape[0], *states.shape)), 2)


def _forth(a, skip):
    """Sums of `a` over the states from which each is reached: itself, the one before, maybe the one before that."""
    y = a.copy()
    y[:, 1:] = np.logaddexp(y[:, 1:], a[:, :-1])
    y[:, 2:] = np.where(skip[:, 2:], np.logaddexp(y[:, 2:], a[:, :-2]), y[:, 2:])
    return y


def _back(b, skip):
    """Sums of `b` over the states that each leads to."""
    y = b.copy()
    y[:, :-1] = np.logaddexp(y[:, :-1], b[:, 1:])
    y[:, :-2] = np.where(skip[:, 2:], np.logaddexp(y[:, :-2], b[:, 2:]), y[:, :-2])
    return y


def _alpha(log_probs, states):
    """alpha[t, n, s]: all ways to state s at time t, with what was emitted until then."""
    emitted, skip = _emissions(log_probs, states), _may_skip(states)
    alpha = np.full_like(emitted, -np.inf)
    if len(alpha):
        alpha[0, :, :2] = emitted[0, :, :2]
    for t in range(1, len(alpha)):
        alpha[t] = _forth(alpha[t - 1], skip) + emitted[t]
    return alpha


def _beta(log_probs, states, input_lengths, target_lengths):
    """beta[t, n, s]: all ways from state s at time t to an end, with what is emitted from then on."""
    emitted, skip = _emissions(log_probs, states), _may_skip(states)
    ends = np.full(states.shape, -np.inf, log_probs.dtype)
    for last in (2 * target_lengths, np.maximum(2 * target_lengths - 1, 0)):
        ends[np.arange(len(states)), last] = 0
    beta, after = np.full_like(emitted, -np.inf), np.full_like(ends, -np.inf)
    for t in reversed(range(len(beta))):
        after = np.where((t == input_lengths - 1)[:, None], ends, _back(after, skip)) + emitted[t]
        beta[t] = after
    return beta


class CtcLoss(Op):
    """Minus the logarithm of the probability of each sample's targets, and alpha."""

    blank: int
    zero_infinity: bool
    outputs = "many"
    samples = [S(np.log(np.full((4, 2, 3), 1 / 3)), np.array([[1, 2], [2, 2]]), np.array([4, 3]), np.array([2, 1]),
                 params=(0, False), smooth=False)]

    def forward(self, log_probs, targets, input_lengths, target_lengths):
        states = _states(targets, self.blank)
        alpha = _alpha(log_probs, states)
        rows, last = np.arange(len(states)), 2 * target_lengths
        if len(alpha):
            final = alpha[np.maximum(input_lengths - 1, 0), rows]
            loss = -np.logaddexp(final[rows, last],
                                 np.where(last > 0, final[rows, np.maximum(last - 1, 0)], -np.inf))
        else:
            loss = np.zeros(len(states))
        nothing = np.where(target_lengths == 0, -0.0, np.inf)  # no time at all: no label, or impossible
        return np.where(input_lengths == 0, nothing, loss).astype(log_probs.dtype), alpha

    def vjp_log_probs(self, g, log_probs, targets, input_lengths, target_lengths, y):
        back = CtcLossGradient(self.blank, self.zero_infinity)
        return back(g[0], log_probs, targets, input_lengths, target_lengths, y[0], y[1])


class CtcLossGradient(Op):
    """The gradient of CtcLoss, as PyTorch has it: with that of the log_softmax that `log_probs` come from in it.

    exp(log_probs) - (probability that a label is emitted at this time, given the targets).
    """

    blank: int
    zero_infinity: bool
    samples = [S((2,), *CtcLoss.samples[0].inputs, np.array([1.0, 2.0]), np.zeros((4, 2, 5)), params=(0, False),
                 smooth=False)]

    def forward(self, cotangent, log_probs, targets, input_lengths, target_lengths, loss, alpha):
        states = _states(targets, self.blank)
        both = alpha + _beta(log_probs, states, input_lengths, target_lengths)
        by_label = np.full_like(log_probs, -np.inf)
        rows = np.arange(len(states))
        for s in range(states.shape[1]):  # states with the same label count together
            at = (slice(None), rows, states[:, s])
            by_label[at] = np.logaddexp(by_label[at], both[:, :, s])
        y = np.exp(log_probs) - np.exp(by_label + loss[:, None] - log_probs)
        y = y * cotangent[:, None]
        if self.zero_infinity:
            y[:, loss == np.inf] = 0
        y[np.arange(len(y))[:, None] >= input_lengths] = 0
        return y.astype(log_probs.dtype, copy=False)


# ---- the public function ---------------------------------------------------------------------
def _lengths(v, name, count, limit=None):
    """Lengths of all samples as an array."""
    if modes.trace is not None and isinstance(v, Tensor):
        modes.trace.looked("ctc_loss()")
    a = np.atleast_1d(np.asarray(v._data if isinstance(v, Tensor) else v))
    if a.dtype.kind not in "iu":
        raise error("tensor-dtype", RuntimeError(f"{name} must be integral"), what=name, dtype=a.dtype, fn="ctc_loss()",
                    must="whole numbers", fix="convert it first: {what}.long().")
    if a.shape != (count,):
        raise error("argument-count", RuntimeError(f"{name} must be of size batch_size"), what=name, count=a.size,
                    need="{n}", n=count, fix="give one length for each of the {n} samples of the batch.")
    for value in a.tolist():
        if value < 0 or limit is not None and value > limit:
            word, bound = ("least", 0) if value < 0 else ("most", limit)
            raise error("data-range", RuntimeError(
                f"Expected {name} to have value at {word} {bound}, but got value {value} (while checking arguments for "
                "ctc_loss_allocate_outputs)"), what=name, value=value, low=0, high=limit,
                must="a number of at least {low}" if value < 0 else "a number of at most {high}",
                fix="each length counts the steps (or labels) of one sample that are used: not below 0, not more than "
                    "there are.")
    return a.astype(np.int64)


def _padded(targets, lengths):
    """(N, S) labels from a matrix, or from all targets one after the other."""
    if modes.trace is not None and isinstance(targets, Tensor):
        modes.trace.looked("ctc_loss()")
    t = np.asarray(targets._data if isinstance(targets, Tensor) else targets).astype(np.int64)
    checking = "for argument #2 'targets' (while checking arguments for ctc_loss_allocate_outputs)"
    longest = int(lengths.max(initial=0))
    if t.ndim == 1:
        if t.size != lengths.sum():
            raise error("lengths-differ", RuntimeError(
                f"Expected tensor to have size {lengths.sum()} at dimension 0, but got size {t.size} {checking}"),
                count=t.size, total=int(lengths.sum()),
                why="targets has {count} labels, those of all samples one after another, and target_lengths add up to "
                    "{total}.", fix="give the lengths of these samples, or targets of shape (batch, longest length).")
        y = np.zeros((len(lengths), longest), np.int64)
        y[np.arange(longest) < lengths[:, None]] = t
        return y
    if t.shape[0] != len(lengths):
        raise error("dimension-size", RuntimeError(
            f"Expected tensor to have size {len(lengths)} at dimension 0, but got size {t.shape[0]} {checking}"),
            what="targets", dim=0, size=t.shape[0], n=len(lengths), must="{n}, the number of samples")
    if t.shape[1] < longest:
        raise error("dimension-size", RuntimeError(
            f"Expected tensor to have size at least {longest} at dimension 1, but got size {t.shape[1]} {checking}"),
            what="targets", dim=1, size=t.shape[1], n=longest, must="at least {n}, the largest of target_lengths")
    return np.where(np.arange(longest) < lengths[:, None], t[:, :longest], 0)


@public("nn.functional")
def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """Connectionist temporal classification loss: -log of the probability of `targets` over all alignments.

    Args:
        log_probs: of all labels at each time, from log_softmax.
        targets: labels of each sample, one row for each or one after the other.
        blank: the label that stands for no label.
        reduction: "mean" divides each loss by the length of its targets, then takes the mean.
        zero_infinity: losses of targets that are too long for the input count as zero.

    Shape: log_probs (T, N, C) or (T, C), targets (N, S) or (sum of lengths,), lengths (N,).
    """
    if reduction not in ("none", "mean", "sum"):
        raise error("reduction-name", name=str(reduction))
    if dtype_of(log_probs).kind != "f" or dtype_of(log_probs).itemsize < 4:
        raise not_implemented("ctc_loss_cpu", log_probs)
    single = len(log_probs.shape) == 2 and len(getattr(targets, "shape", ())) == 1
    x = m.unsqueeze(log_probs, 1) if single else log_probs
    if len(x.shape) != 3:
        raise error("tensor-dims", RuntimeError(
            f"Expected 3-dimensional tensor, but got {len(x.shape)}-dimensional tensor for argument #1 'log_probs' "
            "(while checking arguments for ctc_loss_allocate_outputs)"), what="log_probs", shape=x.shape,
            need="{n} or {m}", n=2, m=3,
            fix="log_probs is (steps, batch, classes), or (steps, classes) for one sample.")
    times, count, labels = x.shape
    if not 0 <= blank < labels:
        raise error("argument-value", RuntimeError("blank must be in label range"), what="blank", value=blank,
                    must="a whole number between {low} and {high}", low=0, high=labels - 1)
    n_input = _lengths(input_lengths, "input_lengths", count, times)
    n_target = _lengths(target_lengths, "target_lengths", count)
    loss = CtcLoss(blank, bool(zero_infinity))(x, _padded(targets, n_target), n_input, n_target)[0]
    if zero_infinity:
        loss = m.where(m.isinf(loss), m.zeros_like(loss), loss)
    if reduction == "mean":
        return m.mean(loss / np.maximum(n_target, 1).astype(dtype_of(loss)))
    if reduction == "sum":
        return m.sum(loss)
    return m.squeeze(loss, 0) if single else loss
