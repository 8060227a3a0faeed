"""Schedules that move the rate and the momentum against each other: CyclicLR and OneCycleLR."""
from __future__ import annotations

import math

from ..optimizer import check
from .base import LRScheduler, check_optimizer, for_each_group, saved_callable, set_value


class _WithMomentum(LRScheduler):
    """A schedule that also sets "momentum" (or the first of "betas")."""

    def _start_momentum(self, lowest, highest, last_epoch):
        """Note the range in the groups; momentum starts from the top, as the rate from below."""
        options = self.optimizer.defaults
        check("momentum" in options or "betas" in options, "argument-value",
              "optimizer must support momentum or beta1 with `cycle_momentum` option enabled",
              name=type(self.optimizer),
              why="{name} has neither momentum nor betas, which go down and up with the rate here.",
              fix="write cycle_momentum=False, or use SGD with momentum, or Adam.")
        self.use_beta1 = "betas" in options
        if last_epoch == -1:
            for group, low, high in zip(self.optimizer.param_groups, lowest, highest):
                self._set_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low

    def _set_momentum(self, group, value):
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class CyclicLR(_WithMomentum):
    """The rate goes up from base_lr to max_lr and down again, over and over; call it each batch.

    Args:
        optimizer: whose rates are set.
        base_lr, max_lr: the ends, for all groups or a list.
        step_size_up, step_size_down: batches for each half of a cycle (down: as up).
        mode: "triangular"; "triangular2" halves the height each cycle; "exp_range" multiplies it by
            gamma each batch.
        scale_fn, scale_mode: a height of your own, of the "cycle" (from 1) or of the "iterations".
        cycle_momentum: move momentum between max_momentum and base_momentum the other way round.

    Source: Smith, Cyclical learning rates for training neural networks, 2017.

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0, momentum=0.9)
    >>> schedule = kobai.optim.lr_scheduler.CyclicLR(opt, base_lr=1.0, max_lr=3.0, step_size_up=2)
    >>> for batch in range(4):
    ...     opt.step(); schedule.step(); print(schedule.get_last_lr())
    [2.0]
    [3.0]
    [2.0]
    [1.0]
    """

    def __init__(self, optimizer, base_lr, max_lr, step_size_up=2000, step_size_down=None, mode="triangular",
                 gamma=1.0, scale_fn=None, scale_mode="cycle", cycle_momentum=True, base_momentum=0.8,
                 max_momentum=0.9, last_epoch=-1):
        self.optimizer = check_optimizer(optimizer)
        base_lrs = for_each_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups):
                set_value(group, "lr", lr)
        self.max_lrs = for_each_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size, self.step_ratio = up + down, up / (up + down)
        check(mode in ("triangular", "triangular2", "exp_range") or scale_fn is not None, "argument-choice",
              "mode is invalid and scale_fn is None", what="mode", value=mode,
              choices=["triangular", "triangular2", "exp_range"])
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else \
            "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums = for_each_group("base_momentum", optimizer, base_momentum)
            self.max_momentums = for_each_group("max_momentum", optimizer, max_momentum)
            self._start_momentum(self.base_momentums, self.max_momentums, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x):
        """Height of the cycle: x is its number, or the number of batches."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        return {"triangular": lambda: 1.0, "triangular2": lambda: 1 / 2.0 ** (x - 1),
                "exp_range": lambda: self.gamma ** x}[self.mode]()

    def get_lr(self):
        self._warn_outside()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        part = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, high in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums):
                self._set_momentum(group, high - (high - low) * part * height)
        return [low + (high - low) * part * height for low, high in zip(self.base_lrs, self.max_lrs)]

    def state_dict(self):
        return super().state_dict() | {"_scale_fn_custom": saved_callable(self._scale_fn_custom)}

    def load_state_dict(self, state_dict):
        self.__dict__.update({k: v for k, v in state_dict.items() if k != "_scale_fn_custom"})
        if state_dict.get("_scale_fn_custom") is not None:
            self._scale_fn_custom.__dict__.update(state_dict["_scale_fn_custom"])


class OneCycleLR(_WithMomentum):
    """One cycle in the whole training: up to max_lr, then far down; call it each batch.

    The rate starts from max_lr / div_factor, is max_lr after the part `pct_start` of the batches and
    ends at the first rate / final_div_factor; momentum goes the other way.

    Args:
        optimizer: whose rates are set.
        max_lr: the top, for all groups or a list.
        total_steps: number of batches; or give epochs and steps_per_epoch.
        anneal_strategy: "cos" or "linear".
        cycle_momentum, base_momentum, max_momentum: move momentum between these.
        three_phase: come back to the first rate before going down.

    Source: Smith and Topin, Super-convergence, 2018.

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0, momentum=0.9)
    >>> schedule = kobai.optim.lr_scheduler.OneCycleLR(opt, max_lr=1.0, total_steps=10)
    >>> rates = []
    >>> for batch in range(9):
    ...     opt.step(); schedule.step(); rates += schedule.get_last_lr()
    >>> max(rates), round(rates[-1], 9)
    (1.0, 4e-06)
    """

    def __init__(self, optimizer, max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3,
                 anneal_strategy="cos", cycle_momentum=True, base_momentum=0.85, max_momentum=0.95,
                 div_factor=25.0, final_div_factor=1e4, three_phase=False, last_epoch=-1):
        self.optimizer = check_optimizer(optimizer)
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        self._schedule_phases = self._phases(pct_start, three_phase)
        check(isinstance(pct_start, float) and 0 <= pct_start <= 1, "argument-value",
              f"Expected float between 0 and 1 pct_start, but got {pct_start}", what="pct_start", value=pct_start,
              must="a float between 0.0 and 1.0")
        check(anneal_strategy in ("cos", "linear"), "argument-choice",
              f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}",
              what="anneal_strategy", value=anneal_strategy, choices=["cos", "linear"])
        self._anneal_func_type = anneal_strategy
        tops = for_each_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, top in zip(optimizer.param_groups, tops):
                group["initial_lr"] = top / div_factor
                group["max_lr"] = top
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._start_momentum(for_each_group("base_momentum", optimizer, base_momentum),
                                 for_each_group("max_momentum", optimizer, max_momentum), last_epoch)
        super().__init__(optimizer, last_epoch)

    def _phases(self, pct_start, three_phase):
        """Where each phase ends, and between which options of a group it goes."""
        def phase(end, start_lr, end_lr, start_momentum, end_momentum):
            return {"end_step": end, "start_lr": start_lr, "end_lr": end_lr,
                    "start_momentum": start_momentum, "end_momentum": end_momentum}
        up = float(pct_start * self.total_steps) - 1
        first = phase(up, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        last = self.total_steps - 1
        if not three_phase:
            return [first, phase(last, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        back = float(2 * pct_start * self.total_steps) - 2
        return [first, phase(back, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                phase(last, "initial_lr", "min_lr", "max_momentum", "max_momentum")]

    def _between(self, start, end, part):
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)
        return (end - start) * part + start

    def get_lr(self):
        self._warn_outside()
        step = self.last_epoch
        check(step <= self.total_steps, "call-order",
              f"Tried to step {step} times. The specified number of total steps is {self.total_steps}",
              size=self.total_steps, value=step,
              why="the schedule is over: it was made for {size} steps, and this is step {value}.",
              fix="call scheduler.step() once for each batch, and give the number of all batches: total_steps=epochs "
                  "* len(loader).")
        start = 0.0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if step <= end or phase is self._schedule_phases[-1]:
                break
            start = end
        part = (step - start) / (end - start)
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                self._set_momentum(group, self._between(
                    group[phase["start_momentum"]], group[phase["end_momentum"]], part))
        return [self._between(group[phase["start_lr"]], group[phase["end_lr"]], part)
                for group in self.optimizer.param_groups]


def _total(total_steps, epochs, steps_per_epoch):
    """The number of batches, from either way to give it."""
    def positive(name, v):
        check(isinstance(v, int) and v > 0, "argument-value", f"Expected positive integer {name}, but got {v}",
              what=name, value=v, must="a positive whole number")
        return v
    if total_steps is not None:
        return positive("total_steps", total_steps)
    check(epochs is not None and steps_per_epoch is not None, "argument-missing",
          "You must define either total_steps OR (epochs AND steps_per_epoch)",
          why="the schedule must know how many steps there will be.",
          fix="write total_steps=epochs * len(loader), or epochs=10 and steps_per_epoch=len(loader).")
    return positive("epochs", epochs) * positive("steps_per_epoch", steps_per_epoch)
