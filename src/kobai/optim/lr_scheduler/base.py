"""What all schedules share: a counter, the rates they started from, and writing new rates.

A schedule is a class with `next_lr(lr, base)`: the rate after the last one. So schedules can be
chained: each multiplies or shifts what it finds. Where there is a direct formula, `closed_lr(base)`
gives the rate at `self.last_epoch`, for programs that call `step(epoch)`.
"""
from __future__ import annotations

import types
import warnings

from ...diagnose import error
from ...tensor import Tensor
from ..optimizer import Optimizer

EPOCH_WARNING = ("The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
                 "possible. Call `scheduler.step()`; with an epoch the rate is set by the schedule's direct "
                 "formula, and what other schedules did to it is lost.")


class LRScheduler:
    """Base class of schedules.

    Args:
        optimizer: whose groups' "lr" are changed.
        last_epoch: how many steps were made before; -1 starts anew from the rates in the groups.

    A schedule of your own writes `next_lr(self, lr, base)`, or PyTorch's `get_lr(self)`, which
    returns the rates of all groups.

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=8.0)
    >>> class Half(kobai.optim.lr_scheduler.LRScheduler):
    ...     def next_lr(self, lr, base):
    ...         return lr / 2
    >>> schedule = Half(opt)
    >>> opt.step(); schedule.step(); schedule.get_last_lr()
    [4.0]
    """

    acts_at_start = False  # whether `next_lr` is called when the schedule is made, too
    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer, last_epoch=-1):
        self.optimizer = check_optimizer(optimizer)
        if last_epoch == -1:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", copied(group["lr"]))
        for i, group in enumerate(optimizer.param_groups):
            if "initial_lr" not in group:
                raise error("call-order",
                            KeyError(f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                                     "scheduler with last_epoch >= 0."),
                            i=i,
                            why="with last_epoch a schedule goes on, but the rate it started from is not known: "
                                "group {i} has no initial_lr.",
                            fix="load the optimizer's state_dict first, or leave last_epoch out to start anew.")
        self.base_lrs = rates(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _watch(optimizer)
        self._initial_step()

    def _initial_step(self):
        """The first step is made at once: it sets the rates of epoch 0."""
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    # ---- the schedule ---------------------------------------------------------------------
    def next_lr(self, lr, base):
        raise error("method-missing", NotImplementedError(f"{type(self).__name__} does not implement get_lr"),
                    cls=type(self), what="get_lr",
                    fix="write `def get_lr(self)` in {cls}: it returns one rate for each of self.optimizer.param_groups.")

    def get_lr(self):
        """The rates to set now, one for each group. To look at rates use `get_last_lr`."""
        self._warn_outside()
        if self._is_initial and not self.acts_at_start:
            return rates(self.optimizer)
        return [self.next_lr(g["lr"], base) for g, base in zip(self.optimizer.param_groups, self.base_lrs)]

    def get_last_lr(self):
        """The rates that the last `step` set, one for each group."""
        return self._last_lr

    def step(self, epoch=None):
        """Set the rates of the next epoch."""
        if self._step_count == 1:
            self._warn_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch=None):
        self._get_lr_called_within_step = True
        try:
            if epoch is None:
                self.last_epoch += 1
                values = self.get_lr()
            else:
                self.last_epoch = epoch
                values = self._get_closed_form_lr()
        finally:
            self._get_lr_called_within_step = False
        self._write(values)

    def _get_closed_form_lr(self):
        if hasattr(self, "closed_lr"):
            return [self.closed_lr(base) for base in self.base_lrs]
        return self.get_lr()

    def _write(self, values):
        for group, lr in zip(self.optimizer.param_groups, values):
            set_value(group, "lr", lr)
        self._last_lr = rates(self.optimizer)

    # ---- checkpoints ----------------------------------------------------------------------
    def state_dict(self):
        """Everything but the optimizer, as a dict."""
        return {k: v for k, v in self.__dict__.items() if k != "optimizer"}

    def load_state_dict(self, state_dict):
        """Continue from what `state_dict` returned."""
        self.__dict__.update(state_dict)

    # ---- warnings -------------------------------------------------------------------------
    def _warn_outside(self):
        if not self._get_lr_called_within_step:
            warnings.warn("To get the last learning rate computed by the scheduler, please use "
                          "`get_last_lr()`.", UserWarning, stacklevel=3)

    def _warn_order(self):
        watched = self.optimizer
        if watched.__dict__.get("step") is not watched.__dict__.get("_step_when_watched"):
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
                "initialization. Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`.",
                UserWarning, stacklevel=3)
        elif not watched._opt_called:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch they are called the "
                "other way round, or the first learning rate of the schedule is never used.", UserWarning, stacklevel=3)


def _watch(optimizer):
    """From now on it matters whether `optimizer.step` was called."""
    if "_step_when_watched" not in optimizer.__dict__:
        optimizer._step_when_watched = optimizer.__dict__.get("step")
        optimizer._opt_called = False


def check_optimizer(optimizer):
    if not isinstance(optimizer, Optimizer):
        raise error("scheduler-optimizer", kind=type(optimizer).__name__)
    return optimizer


def copied(v):
    return v.clone() if isinstance(v, Tensor) else v


def rates(optimizer, key="lr"):
    """The value of `key` in each group."""
    return [copied(group[key]) for group in optimizer.param_groups]


def set_value(group, key, value):
    """Set an option; one that is a Tensor is written in place, for those who hold it."""
    if isinstance(group[key], Tensor):
        group[key].fill_(value.squeeze() if isinstance(value, Tensor) else value)
    else:
        group[key] = value


def for_each_group(name, optimizer, value):
    """`value` for each group: a list must have as many items as there are groups."""
    groups = optimizer.param_groups
    if not isinstance(value, (list, tuple)):
        value = [value] * len(groups)
    elif len(value) != len(groups):
        raise error("lengths-differ",
                    ValueError(f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} "
                               f"values, param_groups has {len(groups)}."),
                    what=name, count=len(value), other="optimizer.param_groups", other_count=len(groups))
    return [copied(v) for v in value]


def saved_callable(fn):
    """What of a callable goes into a checkpoint: an object's attributes; functions cannot be saved."""
    return None if fn is None or isinstance(fn, types.FunctionType) else fn.__dict__.copy()
