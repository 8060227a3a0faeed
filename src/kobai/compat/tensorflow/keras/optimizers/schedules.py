"""Learning rates that change with the number of steps."""
from __future__ import annotations

import math

import numpy as np

from .....diagnose import error
from .....tensor import wrap
from ...tensors import box
from ...values import value_of


def _float(x):
    return np.float32(np.asarray(value_of(x)._value))


def _tensor(x):
    return box(wrap(np.float32(x)))


class LearningRateSchedule:
    """The base of schedules: called with the number of steps so far, it gives the learning rate."""

    def __call__(self, step):
        raise error("method-missing",
                    NotImplementedError(f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."),
                    cls=type(self), what="__call__", fix="write `def __call__(self, step): ...` in the class.")

    def get_config(self):
        """The parameters by name."""
        return {k: v for k, v in vars(self).items() if not k.startswith("_")}

    @classmethod
    def from_config(cls, config):
        """The schedule of a configuration."""
        return cls(**config)


class ExponentialDecay(LearningRateSchedule):
    """first * decay_rate ** (step / decay_steps); in stairs if `staircase`."""

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="ExponentialDecay"):
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name
        if decay_steps <= 0:
            raise error("argument-value",
                        ValueError(f"Argument `decay_steps` must be > 0. Received: decay_steps={decay_steps}"),
                        what="decay_steps", value=decay_steps, must="a positive number")

    def __call__(self, step):
        p = _float(step) / np.float32(self.decay_steps)
        p = np.floor(p) if self.staircase else p
        return _tensor(np.float32(self.initial_learning_rate) * np.float32(self.decay_rate) ** p)


class InverseTimeDecay(LearningRateSchedule):
    """first / (1 + decay_rate * step / decay_steps)."""

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="InverseTimeDecay"):
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def __call__(self, step):
        p = _float(step) / np.float32(self.decay_steps)
        p = np.floor(p) if self.staircase else p
        return _tensor(np.float32(self.initial_learning_rate) / (np.float32(1) + np.float32(self.decay_rate) * p))


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[i] up to and including the step boundaries[i], and the last value then."""

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise error("argument-count",
                        ValueError("The length of boundaries should be 1 less than the length of values. Received: "
                                   f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of length "
                                   f"{len(values)}."),
                        what="boundaries", count=len(boundaries), need="{n}", n=len(values) - 1,
                        fix="values has one entry more than boundaries: one before the first, one after each.")
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step):
        step = _float(step)
        return _tensor(self.values[sum(step > b for b in self.boundaries)])


class PolynomialDecay(LearningRateSchedule):
    """From the first to the last rate in `decay_steps`, along a power."""

    def __init__(self, initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False,
                 name="PolynomialDecay"):
        self.initial_learning_rate, self.decay_steps, self.end_learning_rate = (initial_learning_rate, decay_steps,
                                                                               end_learning_rate)
        self.power, self.cycle, self.name = power, cycle, name

    def __call__(self, step):
        step, n = _float(step), np.float32(self.decay_steps)
        if self.cycle:
            n = n * (np.float32(1) if step == 0 else np.ceil(step / n))
        p = min(step, n) / n
        first, last = np.float32(self.initial_learning_rate), np.float32(self.end_learning_rate)
        return _tensor((first - last) * (np.float32(1) - p) ** np.float32(self.power) + last)


class CosineDecay(LearningRateSchedule):
    """From the first rate to `alpha` times it along half a cosine, perhaps after a rise to `warmup_target`."""

    def __init__(self, initial_learning_rate, decay_steps, alpha=0.0, name="CosineDecay", warmup_target=None,
                 warmup_steps=0):
        self.initial_learning_rate, self.decay_steps, self.alpha, self.name = (initial_learning_rate, decay_steps,
                                                                               alpha, name)
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step):
        step, n = float(_float(step)), self.decay_steps
        first = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return _tensor(first + (self.warmup_target - first) * step / self.warmup_steps)
            first, step = self.warmup_target, step - self.warmup_steps
        part = 0.5 * (1 + math.cos(math.pi * min(step, n) / n))
        return _tensor(first * ((1 - self.alpha) * part + self.alpha))


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after the other, each `t_mul` times as long and beginning `m_mul` times as high."""

    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0,
                 name="SGDRDecay"):
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step):
        p = float(_float(step)) / self.first_decay_steps
        if self.t_mul == 1.0:
            turn = math.floor(p)
            p -= turn
        else:
            turn = math.floor(math.log(1 - p * (1 - self.t_mul)) / math.log(self.t_mul))
            before = (1 - self.t_mul ** turn) / (1 - self.t_mul)
            p = (p - before) / self.t_mul ** turn
        part = 0.5 * self.m_mul ** turn * (1 + math.cos(math.pi * p))
        return _tensor(self.initial_learning_rate * ((1 - self.alpha) * part + self.alpha))
