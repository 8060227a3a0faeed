"""Cosine annealing, once or with warm restarts.

Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017.
"""
from __future__ import annotations

import math

from ..optimizer import check
from .base import LRScheduler


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (initial lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> schedule = kobai.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=2)
    >>> opt.step(); schedule.step(); schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base):
        t, T, low = self.last_epoch, self.T_max, self.eta_min
        if (t - 1 - T) % (2 * T) == 0:  # leaving the minimum, where the ratio below is 0 / 0
            return lr + (base - low) * (1 - math.cos(math.pi / T)) / 2
        return (1 + math.cos(math.pi * t / T)) / (1 + math.cos(math.pi * (t - 1) / T)) * (lr - low) + low

    def closed_lr(self, base):
        part = math.pi * self.last_epoch / self.T_max
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(part)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosine annealing over T_0 epochs, then again over T_0 * T_mult, and so on.

        lr = eta_min + (initial lr - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2

    `step(epoch)` takes fractions: step(epoch + batch / batches).

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> schedule = kobai.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=2)
    >>> for epoch in range(3):
    ...     print(schedule.get_last_lr()); opt.step(); schedule.step()
    [1.0]
    [0.5]
    [1.0]
    """

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1):
        check(isinstance(T_0, int) and T_0 > 0, "argument-value", f"Expected positive integer T_0, but got {T_0}",
              what="T_0", value=T_0, must="a positive whole number")
        check(isinstance(T_mult, int) and T_mult >= 1, "argument-value",
              f"Expected integer T_mult >= 1, but got {T_mult}", what="T_mult", value=T_mult,
              must="a positive whole number")
        check(isinstance(eta_min, (float, int)), "argument-type",
              f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}", what="eta_min",
              kind=type(eta_min), must="a number")
        self.T_0, self.T_i, self.T_mult, self.eta_min, self.T_cur = T_0, T_0, T_mult, eta_min, last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        self._warn_outside()
        part = math.pi * self.T_cur / self.T_i
        return [self.eta_min + (base - self.eta_min) * (1 + math.cos(part)) / 2 for base in self.base_lrs]

    def step(self, epoch=None):
        """Go on by one epoch, or to `epoch`, which may be a fraction."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            check(epoch >= 0, "argument-value", f"Expected non-negative epoch, but got {epoch}", what="epoch",
                  value=epoch, low=0, must="a number of at least {low}")
            self._jump(epoch)
        self.last_epoch = math.floor(epoch)
        self._get_lr_called_within_step = True
        try:
            values = self.get_lr()
        finally:
            self._get_lr_called_within_step = False
        self._write(values)

    def _jump(self, epoch):
        """Find the period that `epoch` lies in."""
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult ** n - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult ** n
