"""ReduceLROnPlateau: lower the rate when a metric stops improving."""
from __future__ import annotations

import warnings
from math import inf

from ...diagnose import error
from ..optimizer import check
from .base import EPOCH_WARNING, LRScheduler, check_optimizer, rates, set_value


class ReduceLROnPlateau(LRScheduler):
    """lr = lr * factor when the metric has not improved for more than `patience` steps.

    Args:
        optimizer: whose rates are lowered.
        mode: "min" if smaller metrics are better, "max" if larger.
        factor, patience: as above.
        threshold, threshold_mode: how much better counts: by the part `threshold` ("rel") or by
            `threshold` itself ("abs").
        cooldown: steps after a change in which nothing is counted.
        min_lr: never below this, for all groups or a list.
        eps: changes smaller than this are not made.

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> schedule = kobai.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=1, factor=0.5)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss); print(schedule.get_last_lr())
    [1.0]
    [1.0]
    [1.0]
    [0.5]
    """

    def __init__(self, optimizer, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel",
                 cooldown=0, min_lr=0, eps=1e-8):
        check(factor < 1.0, "argument-value", "Factor should be < 1.0.", what="factor", value=factor, high=1,
              must="a number below {high}", fix="the rate is multiplied by it: factor=0.1 makes it a tenth.")
        self.factor = factor
        self.optimizer = check_optimizer(optimizer)
        n = len(optimizer.param_groups)
        many = isinstance(min_lr, (list, tuple))
        check(not many or len(min_lr) == n, "lengths-differ",
              f"expected {n} min_lrs, got {len(min_lr) if many else 1}", what="min_lr",
              count=len(min_lr) if many else 1, other="optimizer.param_groups", other_count=n)
        self.default_min_lr = None if many else min_lr
        self.min_lrs = list(min_lr) if many else [min_lr] * n
        self.patience, self.cooldown, self.eps, self.last_epoch = patience, cooldown, eps, 0
        self._last_lr = rates(optimizer)
        check(mode in ("min", "max"), "argument-choice", f"mode {mode} is unknown!", what="mode", value=mode,
              choices=["min", "max"])
        check(threshold_mode in ("rel", "abs"), "argument-choice", f"threshold mode {threshold_mode} is unknown!",
              what="threshold_mode", value=threshold_mode, choices=["rel", "abs"])
        self.mode_worse = inf if mode == "min" else -inf
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self._reset()

    def _reset(self):
        """Forget what was seen."""
        self.best, self.cooldown_counter, self.num_bad_epochs = self.mode_worse, 0, 0

    @property
    def in_cooldown(self):
        return self.cooldown_counter > 0

    def _is_better(self, a, best):
        relative = self.threshold_mode == "rel"
        if self.mode == "min":
            return a < (best * (1.0 - self.threshold) if relative else best - self.threshold)
        return a > (best * (self.threshold + 1.0) if relative else best + self.threshold)

    def step(self, metrics, epoch=None):
        """Take in the metric of an epoch; a number or a tensor with one element."""
        current = float(metrics)
        if epoch is None:
            epoch = self.last_epoch + 1
        else:
            warnings.warn(EPOCH_WARNING, UserWarning, stacklevel=2)
        self.last_epoch = epoch
        if self._is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = rates(self.optimizer)

    def _reduce_lr(self):
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise error("call-order",
                            RuntimeError(f"The number of param groups in the `optimizer` ({len(groups)}) differs "
                                         f"from when `ReduceLROnPlateau` was initialized ({len(self.min_lrs)})"),
                            why="a group was added after the scheduler was made, and min_lr was a list: the new "
                                "group has none.",
                            fix="write scheduler.min_lrs.append(0.0) after add_param_group(), or give min_lr as one "
                                "number.")
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lowest in zip(groups, self.min_lrs):
            old = float(group["lr"])
            new = max(old * self.factor, lowest)
            if old - new > self.eps:
                set_value(group, "lr", new)
