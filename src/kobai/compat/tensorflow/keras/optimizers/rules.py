"""The optimizers: how a variable moves along its gradient."""
from __future__ import annotations

import numpy as np

from .....diagnose import error
from .base import Optimizer


def _with_config(*names):
    """A method `get_config` with these attributes besides."""
    def get_config(self):
        return {**Optimizer.get_config(self), **{n: getattr(self, n) for n in names}}
    return get_config


class SGD(Optimizer):
    """w -= rate * g; with momentum, by a running sum of these steps."""

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        if not 0 <= momentum <= 1:
            raise error("argument-value", ValueError("`momentum` must be a float between [0, 1]."),
                        what="momentum", value=momentum, must="a number between {low} and {high}", low=0, high=1)
        self.momentum, self.nesterov = momentum, nesterov

    def slots_used(self):
        return ("momentum",) if self.momentum else ()

    def update(self, w, g, state, rate):
        if not self.momentum:
            return w - rate * g
        mu = w.dtype.type(self.momentum)
        v = state["momentum"]._data = mu * state["momentum"]._data - g * rate
        return w + (mu * v - g * rate if self.nesterov else v)

    get_config = _with_config("momentum", "nesterov")


class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of squared gradients."""

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def slots_used(self):
        return ("velocity", *["momentum"] * bool(self.momentum > 0), *["average_gradient"] * bool(self.centered))

    def update(self, w, g, state, rate):
        one = w.dtype.type
        rho, left = one(self.rho), one(1 - self.rho)
        v = state["velocity"]._data = rho * state["velocity"]._data + left * self.each(np.square, g)
        below = v + one(self.epsilon)
        if self.centered:
            a = state["average_gradient"]._data = rho * state["average_gradient"]._data + left * g
            below = v - a * a + one(self.epsilon)
        step = rate * g / np.sqrt(below)
        if self.momentum > 0:
            step = state["momentum"]._data = one(self.momentum) * state["momentum"]._data + step
        return w - step

    get_config = _with_config("rho", "momentum", "epsilon", "centered")


class Adam(Optimizer):
    """Running means of gradients and of their squares, corrected for their start (Kingma and Ba, 2014)."""

    slots = ("momentum", "velocity")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def slots_used(self):
        return (*self.slots, *["velocity_hat"] * bool(self.amsgrad))

    def update(self, w, g, state, rate):
        one = w.dtype.type
        t = self.steps(w.dtype)
        alpha = rate * np.sqrt(one(1) - one(self.beta_2) ** t) / (one(1) - one(self.beta_1) ** t)
        m, v = state["momentum"]._data, state["velocity"]._data
        m = state["momentum"]._data = m + (g - m) * one(1 - self.beta_1)
        v = state["velocity"]._data = v + (self.each(np.square, g) - v) * one(1 - self.beta_2)
        if self.amsgrad:
            v = state["velocity_hat"]._data = np.maximum(state["velocity_hat"]._data, v)
        return w - m * alpha / (np.sqrt(v) + one(self.epsilon))

    get_config = _with_config("beta_1", "beta_2", "epsilon", "amsgrad")


class AdamW(Adam):
    """Adam with weights that shrink by themselves."""

    def __init__(self, learning_rate=0.001, weight_decay=0.004, **kwargs):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients."""

    slots = ("accumulator",)

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def first_state(self, slot, like):
        return np.full_like(like, self.initial_accumulator_value)

    def update(self, w, g, state, rate):
        a = state["accumulator"]._data = state["accumulator"]._data + self.each(np.square, g)
        return w - rate * g / np.sqrt(a + w.dtype.type(self.epsilon))

    get_config = _with_config("initial_accumulator_value", "epsilon")


class Adadelta(Optimizer):
    """Steps as long as the last ones were, compared with the gradients."""

    slots = ("accumulated_grad", "accumulated_delta_var")

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.rho, self.epsilon = rho, epsilon

    def update(self, w, g, state, rate):
        one = w.dtype.type
        rho, left, eps = one(self.rho), one(1 - self.rho), one(self.epsilon)
        a = state["accumulated_grad"]._data = rho * state["accumulated_grad"]._data + left * self.each(np.square, g)
        d = state["accumulated_delta_var"]._data
        step = -(np.sqrt(d + eps) * g / np.sqrt(a + eps))
        squares = (d + eps) / (a + eps) * self.each(np.square, g)
        state["accumulated_delta_var"]._data = rho * d + left * squares
        return w + rate * step

    get_config = _with_config("rho", "epsilon")


class Adamax(Optimizer):
    """Adam with the largest gradient in the place of the mean square."""

    slots = ("momentum", "norm")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def update(self, w, g, state, rate):
        one = w.dtype.type
        m = state["momentum"]._data
        m = state["momentum"]._data = m + (g - m) * one(1 - self.beta_1)
        u = state["norm"]._data = np.maximum(one(self.beta_2) * state["norm"]._data, self.each(np.abs, g))
        return w - rate * m / ((one(1) - one(self.beta_1) ** self.steps(w.dtype)) * (u + one(self.epsilon)))

    get_config = _with_config("beta_1", "beta_2", "epsilon")


class Nadam(Optimizer):
    """Adam that looks one step ahead, as Nesterov's momentum does."""

    slots = ("momentum", "velocity")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self._product = np.float32(1)

    def _step(self, pairs):
        self._product = self._product * self._part(1, np.float32)
        super()._step(pairs)

    def _part(self, ahead, one):
        t = one(self.iterations.numpy() + ahead)
        return one(self.beta_1) * (one(1) - one(0.5) * one(0.96) ** t)

    def update(self, w, g, state, rate):
        one = w.dtype.type
        u, u_next, product = self._part(1, one), self._part(2, one), one(self._product)
        m, v = state["momentum"]._data, state["velocity"]._data
        m = state["momentum"]._data = m + (g - m) * (one(1) - one(self.beta_1))
        v = state["velocity"]._data = v + (self.each(np.square, g) - v) * (one(1) - one(self.beta_2))
        m_hat = u_next * m / (1 - product * u_next) + (1 - u) * g / (1 - product)
        v_hat = v / (one(1) - one(self.beta_2) ** self.steps(w.dtype))
        return w - m_hat * rate / (np.sqrt(v_hat) + one(self.epsilon))

    get_config = _with_config("beta_1", "beta_2", "epsilon")


class Ftrl(Optimizer):
    """Follow the regularised leader (McMahan et al., 2013)."""

    slots = ("accumulator", "linear")

    def __init__(self, learning_rate=0.001, learning_rate_power=-0.5, initial_accumulator_value=0.1,
                 l1_regularization_strength=0.0, l2_regularization_strength=0.0,
                 l2_shrinkage_regularization_strength=0.0, beta=0.0, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.learning_rate_power, self.initial_accumulator_value = learning_rate_power, initial_accumulator_value
        self.l1_regularization_strength, self.l2_regularization_strength = (l1_regularization_strength,
                                                                            l2_regularization_strength)
        self.l2_shrinkage_regularization_strength, self.beta = l2_shrinkage_regularization_strength, beta

    def first_state(self, slot, like):
        return np.full_like(like, self.initial_accumulator_value if slot == "accumulator" else 0)

    def update(self, w, g, state, rate):
        one, power = w.dtype.type, -self.learning_rate_power
        old = state["accumulator"]._data
        new = state["accumulator"]._data = old + self.each(np.square, g)
        sigma = (new ** one(power) - old ** one(power)) / rate
        pull = g + one(2 * self.l2_shrinkage_regularization_strength) * w
        z = state["linear"]._data = state["linear"]._data + (pull - sigma * w)
        l1 = one(self.l1_regularization_strength)
        l2 = one(2) * (one(self.l2_regularization_strength) + one(self.beta) / (one(2) * rate))
        return (np.clip(z, -l1, l1) - z) / (new ** one(power) / rate + l2)

    get_config = _with_config("learning_rate_power", "initial_accumulator_value", "l1_regularization_strength",
                              "l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta")


class Lion(Optimizer):
    """The sign of a mean of gradient and momentum (Chen et al., 2023)."""

    slots = ("momentum",)

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2 = beta_1, beta_2

    def update(self, w, g, state, rate):
        one = w.dtype.type
        m = state["momentum"]._data
        state["momentum"]._data = m * one(self.beta_2) + g * one(1 - self.beta_2)
        return w - rate * np.sign(m * one(self.beta_1) + g * one(1 - self.beta_1))

    get_config = _with_config("beta_1", "beta_2")


class Adafactor(Optimizer):
    """Adam with second moments kept by rows and columns only, and steps relative to the weights (Shazeer, Stern, 2018)."""

    def __init__(self, learning_rate=0.001, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=1e-3, clip_threshold=1.0,
                 relative_step=True, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def slots_used(self):
        return ("row", "column", "velocity")

    def first_state(self, slot, like):
        if slot == "velocity":
            return np.zeros_like(like)
        wide = like.ndim > 1
        return np.zeros(like.shape[:-1] if slot == "row" and wide else
                        (*like.shape[:-2], like.shape[-1]) if wide else (), like.dtype)

    def update(self, w, g, state, rate):
        one, step = w.dtype.type, self.steps(w.dtype)
        if self.relative_step:
            rate = min(rate, one(1) / np.sqrt(step))
        alpha = max(one(self.epsilon_2), _root_mean_square(w)) * min(rate, one(1) / np.sqrt(step))
        squares, keep = self.each(np.square, g) + one(self.epsilon_1), one(1) - step ** one(self.beta_2_decay)
        if g.ndim > 1:
            r = state["row"]._data = keep * state["row"]._data + (1 - keep) * squares.mean(-1)
            c = state["column"]._data = keep * state["column"]._data + (1 - keep) * squares.mean(-2)
            v = (r / r.mean(-1, keepdims=True))[..., None] * c[..., None, :]
        else:
            v = state["velocity"]._data = keep * state["velocity"]._data + (1 - keep) * squares
        u = g / np.sqrt(v)
        return w - alpha * u / max(one(1), _root_mean_square(u) / one(self.clip_threshold))

    get_config = _with_config("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")


def _root_mean_square(a):
    return np.sqrt((a * a).mean())
