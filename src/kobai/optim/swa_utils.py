"""Averages of a model's weights over training: stochastic weight averaging and moving averages."""
from __future__ import annotations

import math
from copy import deepcopy
from itertools import chain

import numpy as np

from ..autograd.mode import no_grad
from ..diagnose import error
from ..nn import Module, norm
from ..tensor import wrap
from .formula import lerp
from .lr_scheduler.base import LRScheduler, for_each_group
from .optimizer import check

__all__ = ["AveragedModel", "update_bn", "SWALR", "get_ema_multi_avg_fn", "get_swa_multi_avg_fn",
           "get_ema_avg_fn", "get_swa_avg_fn"]


def _check_decay(decay):
    check(0.0 <= decay <= 1.0, "argument-value",
          f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.", what="decay", value=decay,
          low=0, high=1, must="a number between {low} and {high}")


def get_ema_avg_fn(decay=0.999):
    """A function for `AveragedModel`: decay * average + (1 - decay) * parameter."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param, current_param, num_averaged):
        return decay * ema_param + (1 - decay) * current_param
    return ema_update


def get_swa_avg_fn():
    """A function for `AveragedModel`: the mean of all parameters seen so far."""
    @no_grad()
    def swa_update(averaged_param, current_param, num_averaged):
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)
    return swa_update


def get_ema_multi_avg_fn(decay=0.999):
    """As `get_ema_avg_fn`, for lists of parameters, which it changes in place."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list, current_param_list, _):
        _move(ema_param_list, current_param_list, 1 - decay)
    return ema_update


def get_swa_multi_avg_fn():
    """As `get_swa_avg_fn`, for lists of parameters, which it changes in place."""
    @no_grad()
    def swa_update(averaged_param_list, current_param_list, num_averaged):
        _move(averaged_param_list, current_param_list, 1 / (float(num_averaged) + 1))
    return swa_update


def _move(averages, params, part):
    """Move each average towards the parameter by a part of the way."""
    for average, p in zip(averages, params):
        average.copy_(lerp(average, p, part))


class AveragedModel(Module):
    """A copy of a model whose parameters are the average of the model's over time.

    Args:
        model: whose parameters are averaged; call `update_parameters(model)` after each epoch or step.
        device: accepted for PyTorch's programs.
        avg_fn: (average, parameter, number averaged) -> new average; the mean if not given.
        multi_avg_fn: the same for lists of parameters, in place.
        use_buffers: average buffers too; else they are copied.

    Source: Izmailov et al., Averaging weights leads to wider optima and better generalization, 2018.

    >>> import kobai
    >>> model = kobai.nn.Linear(1, 1, bias=False)
    >>> average = kobai.optim.swa_utils.AveragedModel(model)
    >>> for w in (1.0, 2.0, 6.0):
    ...     _ = kobai.nn.init.constant_(model.weight, w)
    ...     average.update_parameters(model)
    >>> average(kobai.ones(1, 1)).item()
    3.0
    """

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise error("arguments-exclude", AssertionError("Only one of avg_fn and multi_avg_fn should be provided"),
                        what="avg_fn", other="multi_avg_fn")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", wrap(np.array(0)))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args, **kwargs):
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model):
        """Take the model's parameters into the average."""
        averages = [t.detach() for t in self._averaged(self.module)]
        current = [t.detach() for t in self._averaged(model)]
        if self.n_averaged.item() == 0:
            for average, p in zip(averages, current):
                average.copy_(p)
        elif self.avg_fn is not None:
            for average, p in zip(averages, current):
                average.copy_(self.avg_fn(average, p, self.n_averaged))
        else:
            for kind in dict.fromkeys(t.dtype for t in averages):  # torch's functions get one dtype at a time
                (self.multi_avg_fn or get_swa_multi_avg_fn())(
                    [t for t in averages if t.dtype is kind],
                    [t for t, average in zip(current, averages) if average.dtype is kind], self.n_averaged)
        if not self.use_buffers:
            for b, source in zip(self.module.buffers(), model.buffers()):
                b.detach().copy_(source.detach())
        self.n_averaged += 1

    def _averaged(self, module):
        return chain(module.parameters(), module.buffers() if self.use_buffers else ())


@no_grad()
def update_bn(loader, model, device=None):
    """Compute batch-norm statistics anew, in one pass over the data, for a model with other weights.

    Args:
        loader: batches; of a tuple or list the first item is the model's input.
        model: in training mode afterwards if it was before.
        device: where to move inputs, if given.
    """
    norms = {module: module.momentum for module in model.modules() if isinstance(module, norm._BatchNorm)}
    if not norms:
        return
    was_training = model.training
    model.train()
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # a plain mean over all batches
    for batch in loader:
        x = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(x if device is None else x.to(device))
    for module, momentum in norms.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Moves the rate to `swa_lr` in `anneal_epochs` epochs and keeps it there.

    Args:
        optimizer: whose rates are set.
        swa_lr: the constant rate, for all groups or a list.
        anneal_epochs, anneal_strategy: how to get there; "cos" or "linear".

    >>> import kobai
    >>> opt = kobai.optim.SGD([kobai.zeros(1)], lr=1.0)
    >>> schedule = kobai.optim.swa_utils.SWALR(opt, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for epoch in range(3):
    ...     opt.step(); schedule.step(); print(schedule.get_last_lr())
    [0.75]
    [0.5]
    [0.5]
    """

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        for lr, group in zip(for_each_group("swa_lr", optimizer, swa_lr), optimizer.param_groups):
            group["swa_lr"] = lr
        check(anneal_strategy in ("cos", "linear"), "argument-choice",
              f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}",
              what="anneal_strategy", value=anneal_strategy, choices=["cos", "linear"])
        check(isinstance(anneal_epochs, int) and anneal_epochs >= 0, "argument-value",
              f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}", what="anneal_epochs",
              value=anneal_epochs, low=0, must="a whole number of at least {low}")
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t):
        """How much of the way is done at the part t of the epochs."""
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self):
        self._warn_outside()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = [self.anneal_func(max(0, min(1, s / max(1, self.anneal_epochs))))
                       for s in (step - 1, step)]
        # the rate at the start, as it would be had only this schedule changed it
        starts = [g["swa_lr"] if before == 1 else (g["lr"] - before * g["swa_lr"]) / (1 - before)
                  for g in self.optimizer.param_groups]
        return [g["swa_lr"] * now + lr * (1 - now) for g, lr in zip(self.optimizer.param_groups, starts)]
