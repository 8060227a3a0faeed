"""Schedules made of schedules: one after another (SequentialLR), or all at once (ChainedScheduler)."""
from __future__ import annotations

from bisect import bisect_right

from ...diagnose import error
from ..optimizer import check
from .base import LRScheduler, rates, set_value
from .plateau import ReduceLROnPlateau


class _Combined(LRScheduler):
    """Keeps its parts in `_schedulers`; a checkpoint holds theirs."""

    def _check_parts(self, optimizer, schedulers):
        name = type(self).__name__
        for i, s in enumerate(schedulers):
            if not hasattr(s, "optimizer"):
                raise error("argument-type",
                            TypeError(f"{name} at index {i} should have `optimizer` as its attribute."),
                            what=f"schedulers[{i}]", kind=type(s), must="a scheduler, such as StepLR(optimizer, 10)")
            check(not isinstance(s, ReduceLROnPlateau), "argument-value",
                  f"{name} does not support `ReduceLROnPlateau` scheduler as it requires additional kwargs "
                  f"to be specified when calling `step`, but got one at index {i} in the given schedulers sequence.",
                  name=name, why="ReduceLROnPlateau needs a metric in each step, and {name} has none to give it.",
                  fix="leave it out of the list, and call plateau.step(val_loss) by itself.")
            check(s.optimizer is optimizer, "argument-value",
                  f"{name} expects all schedulers to belong to the same optimizer, but got scheduler "
                  f"{type(s).__name__} at index {i} has {s.optimizer}, which is different from "
                  f"{type(optimizer).__name__}.",
                  i=i, why="scheduler {i} was made for another optimizer.",
                  fix="make all of them with the same optimizer object.")

    def state_dict(self):
        return super().state_dict() | {"_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict):
        self.__dict__.update({k: v for k, v in state_dict.items() if k != "_schedulers"})
        for s, saved in zip(self._schedulers, state_dict["_schedulers"]):
            s.load_state_dict(saved)


class SequentialLR(_Combined):
    """The first schedule until epoch milestones[0], then the second, and so on.

    >>> import kobai
    >>> from kobai.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> parts = [ConstantLR(opt, factor=0.5, total_iters=2), ExponentialLR(opt, gamma=0.5)]
    >>> schedule = SequentialLR(opt, parts, milestones=[2])
    >>> for epoch in range(4):
    ...     print(schedule.get_last_lr()); opt.step(); schedule.step()
    [0.5]
    [0.5]
    [1.0]
    [0.5]
    """

    def __init__(self, optimizer, schedulers, milestones, last_epoch=-1):
        check(len(schedulers) >= 1, "argument-count",
              f"{type(self).__name__} expects at least one scheduler, but got no scheduler.", what="schedulers",
              count=0, need="at least {n}", n=1)
        self._check_parts(optimizer, schedulers)
        check(len(milestones) == len(schedulers) - 1, "argument-count",
              "Sequential Schedulers expects number of schedulers provided to be one more than the number of "
              f"milestone points, but got number of schedulers {len(schedulers)} and the number of "
              f"milestones to be equal to {len(milestones)}",
              what="milestones", count=len(milestones), need="{n}", n=len(schedulers) - 1,
              fix="give the epochs where one scheduler hands over to the next, one less than there are schedulers.")
        self._schedulers, self._milestones = schedulers, milestones
        self.last_epoch, self.optimizer = last_epoch + 1, optimizer
        for group in optimizer.param_groups:
            set_value(group, "lr", group["initial_lr"])
        self.recursive_undo()  # each part made its first step when it was made
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched=None):
        """Take one step back in the parts' counters."""
        sched = sched or self
        if hasattr(sched, "_schedulers"):
            for s in sched._schedulers:
                self.recursive_undo(s)
        elif hasattr(sched, "last_epoch"):
            sched.last_epoch -= 1

    def step(self):
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        part = self._schedulers[i]
        if i and self._milestones[i - 1] == self.last_epoch:
            part._update_lr(0)
        else:
            part.step()
        self._last_lr = part.get_last_lr()


class ChainedScheduler(_Combined):
    """All schedules at each step, each changing what the one before left.

    >>> import kobai
    >>> from kobai.optim.lr_scheduler import ChainedScheduler, ConstantLR, ExponentialLR
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> parts = [ConstantLR(opt, factor=0.5, total_iters=9), ExponentialLR(opt, gamma=0.5)]
    >>> schedule = ChainedScheduler(parts)
    >>> opt.step(); schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, schedulers, optimizer=None):
        check(len(schedulers) >= 1, "argument-count",
              f"{type(self).__name__} expects at least one scheduler to be chained, but got no scheduler.",
              what="schedulers", count=0, need="at least {n}", n=1)
        optimizer = optimizer or schedulers[0].optimizer
        self._check_parts(optimizer, schedulers)
        self._schedulers, self.optimizer = schedulers, optimizer
        self._last_lr = rates(optimizer)

    def step(self):
        for s in self._schedulers:
            s.step()
        self._last_lr = rates(self.optimizer)
