"""Schedules that multiply the rate by a factor of the epoch."""
from __future__ import annotations

from bisect import bisect_right
from collections import Counter

from ...diagnose import error
from ..optimizer import check
from .base import LRScheduler, saved_callable


class _Lambdas(LRScheduler):
    """Schedules from functions of the epoch, one for all groups or one for each."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        self.optimizer = optimizer
        many = isinstance(lr_lambda, (list, tuple))
        n = len(optimizer.param_groups)
        check(not many or len(lr_lambda) == n, "lengths-differ",
              f"Expected {n} lr_lambdas, but got {len(lr_lambda) if many else 1}", what="lr_lambda",
              count=len(lr_lambda) if many else 1, other="optimizer.param_groups", other_count=n)
        self.lr_lambdas = list(lr_lambda) if many else [lr_lambda] * n
        for fn in self.lr_lambdas:
            if not callable(fn):
                raise error("argument-type", TypeError(f"lr_lambda should be a function, but got {type(fn).__name__}"),
                            what="lr_lambda", kind=type(fn), must="a function",
                            fix="write a function of the epoch that gives the factor: lambda epoch: 0.95 ** epoch.")
        super().__init__(optimizer, last_epoch)

    def state_dict(self):
        """Functions cannot be saved (None in their place), objects' attributes can."""
        return super().state_dict() | {"lr_lambdas": [saved_callable(fn) for fn in self.lr_lambdas]}

    def load_state_dict(self, state_dict):
        self.__dict__.update({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for fn, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"]):
            if saved is not None:
                fn.__dict__.update(saved)


class LambdaLR(_Lambdas):
    """lr = initial lr * lr_lambda(epoch)

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> schedule = kobai.optim.lr_scheduler.LambdaLR(opt, lambda epoch: 1 / (1 + epoch))
    >>> opt.step(); schedule.step(); schedule.get_last_lr()
    [0.5]
    """

    def get_lr(self):
        self._warn_outside()
        return [base * fn(self.last_epoch) for base, fn in zip(self.base_lrs, self.lr_lambdas)]


class MultiplicativeLR(_Lambdas):
    """lr = last lr * lr_lambda(epoch)

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> schedule = kobai.optim.lr_scheduler.MultiplicativeLR(opt, lambda epoch: 0.5)
    >>> opt.step(); schedule.step(); schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def get_lr(self):
        if self._is_initial:
            return super().get_lr()
        self._warn_outside()
        return [g["lr"] * fn(self.last_epoch) for g, fn in zip(self.optimizer.param_groups, self.lr_lambdas)]


class StepLR(LRScheduler):
    """Every `step_size` epochs, lr = lr * gamma.

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> schedule = kobai.optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.5)
    >>> for epoch in range(3):
    ...     opt.step(); schedule.step(); print(schedule.get_last_lr())
    [1.0]
    [0.5]
    [0.5]
    """

    acts_at_start = True

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base):
        return lr if self.last_epoch == 0 or self.last_epoch % self.step_size else lr * self.gamma

    def closed_lr(self, base):
        return base * self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(LRScheduler):
    """At each epoch in `milestones`, lr = lr * gamma.

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> schedule = kobai.optim.lr_scheduler.MultiStepLR(opt, [1, 3], gamma=0.5)
    >>> for epoch in range(3):
    ...     opt.step(); schedule.step(); print(schedule.get_last_lr())
    [0.5]
    [0.5]
    [0.25]
    """

    acts_at_start = True

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base):
        times = self.milestones[self.last_epoch]
        return lr * self.gamma ** times if times else lr

    def closed_lr(self, base):
        return base * self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch)


class ConstantLR(LRScheduler):
    """lr * factor for the first `total_iters` epochs.

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> schedule = kobai.optim.lr_scheduler.ConstantLR(opt, factor=0.5, total_iters=2)
    >>> schedule.get_last_lr()
    [0.5]
    """

    acts_at_start = True

    def __init__(self, optimizer, factor=1.0 / 3, total_iters=5, last_epoch=-1):
        check(0 <= factor <= 1.0, "argument-value",
              "Constant multiplicative factor expected to be between 0 and 1.", what="factor", value=factor, low=0,
              high=1, must="a number between {low} and {high}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base):
        if self.last_epoch == 0:
            return lr * self.factor
        return lr * (1.0 / self.factor) if self.last_epoch == self.total_iters else lr

    def closed_lr(self, base):
        return base * (self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor))


class LinearLR(LRScheduler):
    """lr * a factor that goes from `start_factor` to `end_factor` in `total_iters` epochs.

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> schedule = kobai.optim.lr_scheduler.LinearLR(opt, start_factor=0.5, total_iters=2)
    >>> for epoch in range(3):
    ...     print(schedule.get_last_lr()); opt.step(); schedule.step()
    [0.5]
    [0.75]
    [1.0]
    """

    acts_at_start = True

    def __init__(self, optimizer, start_factor=1.0 / 3, end_factor=1.0, total_iters=5, last_epoch=-1):
        check(0 < start_factor <= 1.0, "argument-value",
              "Starting multiplicative factor expected to be greater than 0 and less or equal to 1.",
              what="start_factor", value=start_factor, must="a number above 0 and at most 1")
        check(0 <= end_factor <= 1.0, "argument-value",
              "Ending multiplicative factor expected to be between 0 and 1.", what="end_factor", value=end_factor,
              low=0, high=1, must="a number between {low} and {high}")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base):
        if self.last_epoch == 0:
            return lr * self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        change = self.end_factor - self.start_factor
        return lr * (1.0 + change / (self.total_iters * self.start_factor + (self.last_epoch - 1) * change))

    def closed_lr(self, base):
        done = min(self.total_iters, self.last_epoch)
        return base * (self.start_factor + (self.end_factor - self.start_factor) * done / self.total_iters)


class ExponentialLR(LRScheduler):
    """Every epoch, lr = lr * gamma.

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> schedule = kobai.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
    >>> opt.step(); schedule.step(); schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base):
        return lr * self.gamma

    def closed_lr(self, base):
        return base * self.gamma ** self.last_epoch


class PolynomialLR(LRScheduler):
    """initial lr * (1 - epoch / total_iters)^power, and 0 from then on.

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> schedule = kobai.optim.lr_scheduler.PolynomialLR(opt, total_iters=4)
    >>> opt.step(); schedule.step(); schedule.get_last_lr()
    [0.75]
    """

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1):
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base):
        t, n = self.last_epoch, self.total_iters
        return lr if t > n else lr * ((1.0 - t / n) / (1.0 - (t - 1) / n)) ** self.power

    def closed_lr(self, base):
        return base * (1.0 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power
