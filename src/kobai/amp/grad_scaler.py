"""Loss scaling: gradients in float16 without underflow.

    scaler.scale(loss).backward()       # gradients are `scale` times too large, so none rounds to 0 in float16
    scaler.step(optimizer)              # divides them again; leaves the step out if one is inf or NaN
    scaler.update()                     # then the scale is halved; after 2000 good steps it doubles
"""
from __future__ import annotations

import warnings

from .. import devices
from ..diagnose import error
from ..op import m
from ..tensor import Tensor

__all__ = ["GradScaler"]


class GradScaler:
    """Scales the loss so that small gradients survive float16, and the gradients back before a step.

    Args: `growth_factor` multiplies the scale after `growth_interval` steps without inf or NaN,
    `backoff_factor` after one with. With `enabled=False`, or for "cuda" without a GPU, all methods pass through.

    >>> w = kobai.tensor([1.0], requires_grad=True)
    >>> optimizer, scaler = kobai.optim.SGD([w], lr=0.1), kobai.amp.GradScaler("cpu", init_scale=8.0)
    >>> scaler.scale((w * 3).sum()).backward(); w.grad
    tensor([24.])
    >>> scaler.step(optimizer); scaler.update(); w.grad, w.data
    (tensor([3.]), tensor([0.7000]))
    """

    def __init__(self, device="cuda", init_scale=65536.0, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000,
                 enabled=True):
        if enabled and devices.device(device).type == "cuda":
            warnings.warn("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2)
            enabled = False
        if enabled and growth_factor <= 1.0:
            raise error("argument-value", AssertionError("The growth factor must be > 1.0."), what="growth_factor",
                        value=growth_factor, low=1, must="a number above {low}")
        if enabled and backoff_factor >= 1.0:
            raise error("argument-value", AssertionError("The backoff factor must be < 1.0."), what="backoff_factor",
                        value=backoff_factor, high=1, must="a number below {high}")
        self._enabled, self._scale = bool(enabled), float(init_scale)
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval, self._good_steps = growth_interval, 0
        self._used = False  # has anything been scaled?
        self._found = {}    # id of an optimizer whose gradients are divided -> did one have inf or NaN?
        self._stepped = set()

    def scale(self, outputs):
        """`outputs` times the scale: a Tensor, or a list or tuple of them."""
        if not self._enabled:
            return outputs
        self._used = True
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        return type(outputs)([self.scale(o) for o in outputs])

    def unscale_(self, optimizer):
        """Divide the optimizer's gradients by the scale now, for example to clip them before the step."""
        if not self._enabled:
            return
        self._check_used("unscale_")
        if id(optimizer) in self._stepped:
            raise error("call-order", RuntimeError("unscale_() is being called after step()."),
                        why="step() was called before, and it has divided the gradients by the scale.",
                        fix="keep this order: scaler.unscale_(optimizer), clip, scaler.step(optimizer), "
                            "scaler.update().")
        if id(optimizer) in self._found:
            raise error("call-order",
                        RuntimeError("unscale_() has already been called on this optimizer since the last update()."),
                        why="the gradients were divided by the scale already; once more would make them too small.",
                        fix="call unscale_(optimizer) once in each step, and update() at the end of the step.")
        grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        for g in grads:
            g.detach().mul_(1 / self._scale)
        self._found[id(optimizer)] = not all(bool(m.isfinite(g.detach()).all()) for g in grads)

    def step(self, optimizer, *args, **kwargs):
        """`optimizer.step()` with gradients in their true size; left out if one is inf or NaN."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise error("not-possible",
                        RuntimeError("Closure use is not currently supported if GradScaler is enabled."),
                        why="a closure computes gradients anew within the step, and the scaler would not have scaled "
                            "their loss.",
                        fix="use an optimizer that needs no closure, or GradScaler(enabled=False).")
        self._check_used("step")
        if id(optimizer) in self._stepped:
            raise error("call-order", RuntimeError("step() has already been called since the last update()."),
                        why="step() was called twice for this optimizer, without update() in between.",
                        fix="call scaler.update() at the end of each iteration.")
        if id(optimizer) not in self._found:
            self.unscale_(optimizer)
        self._stepped.add(id(optimizer))
        return None if self._found[id(optimizer)] else optimizer.step(*args, **kwargs)

    def update(self, new_scale=None):
        """Choose the scale of the next iteration."""
        if not self._enabled:
            return
        self._check_used("update")
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._found:
            raise error("call-order", AssertionError("No inf checks were recorded prior to update."),
                        why="no optimizer made a step through the scaler, so nobody looked whether the gradients are "
                            "finite.",
                        fix="write scaler.step(optimizer) in place of optimizer.step(), before update().")
        elif any(self._found.values()):
            self._scale, self._good_steps = self._scale * self._backoff_factor, 0
        else:
            self._good_steps += 1
            if self._good_steps == self._growth_interval:
                self._scale, self._good_steps = self._scale * self._growth_factor, 0
        self._found.clear()
        self._stepped.clear()

    def _check_used(self, name):
        if not self._used:
            raise error("call-order",
                        AssertionError(f"Attempted {name} but _scale is None.  This may indicate your script did not "
                                       "use scaler.scale(loss or outputs) earlier in the iteration."),
                        name=name, why="{name}() was called, and no loss has been scaled.",
                        fix="write scaler.scale(loss).backward() before.")

    def get_scale(self):
        """The scale, as a Python number; 1.0 if not enabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self):
        """What the scale is multiplied by after `growth_interval` good steps."""
        return self._growth_factor

    def get_backoff_factor(self):
        """What the scale is multiplied by after a step with inf or NaN."""
        return self._backoff_factor

    def get_growth_interval(self):
        """How many good steps in a row make the scale grow."""
        return self._growth_interval

    def is_enabled(self):
        """Whether this scaler does anything."""
        return self._enabled

    def state_dict(self):
        """The scale and the settings; empty if not enabled."""
        if not self._enabled:
            return {}
        return {"scale": self._scale, "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
                "growth_interval": self._growth_interval, "_growth_tracker": self._good_steps}

    def load_state_dict(self, state_dict):
        """Go on from a `state_dict`."""
        if not self._enabled:
            return
        if not state_dict:
            raise error("argument-value",
                        RuntimeError("The source state dict is empty, possibly because it was saved from a disabled "
                                     "instance of GradScaler."),
                        why="the state is empty, as that of a scaler with enabled=False is.",
                        fix="begin without it, or make this scaler with enabled=False, too.")
        self._scale, self._growth_factor = state_dict["scale"], state_dict["growth_factor"]
        self._backoff_factor, self._growth_interval = state_dict["backoff_factor"], state_dict["growth_interval"]
        self._good_steps = state_dict["_growth_tracker"]
