"""What optimizers have in common: learning rate, iterations, clipping, weight decay."""
from __future__ import annotations

import re
import warnings

import numpy as np

from .....diagnose import error
from .....ops.index import sum_at
from .....tensor import wrap
from ...dtypes import as_dtype
from ...recording import pause
from ...slices import IndexedSlices
from ...tape import GradientTape
from ...tensors import box
from ...values import convert_to_tensor, value_of
from .. import initializers, naming
from ..variable import Variable
from .schedules import LearningRateSchedule


class Optimizer:
    """The base of optimizers. Subclasses define `update`.

    >>> import kobai.compat.tensorflow as tf
    >>> w = tf.Variable([1.0, 2.0])
    >>> tf.keras.optimizers.SGD(0.5).apply_gradients([(tf.constant([1.0, 1.0]), w)])
    >>> w.numpy()
    array([0.5, 1.5], dtype=float32)
    """

    slots: tuple = ()     # names of the states of each variable
    _rows = None          # the gradient that `update` is given, while it consists of rows

    def __init__(self, learning_rate=0.001, weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None,
                 use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):
        for old in ("jit_compile", "decay", "lr"):
            if old in kwargs:
                value = kwargs.pop(old)
                if old == "lr":
                    raise error("name-unknown", ValueError("Argument(s) not recognized: {'lr': " + repr(value) + "}"),
                                where=type(self), what="argument", name="lr", names=["learning_rate"],
                                fix="write learning_rate=.")
        if kwargs:
            raise error("name-unknown", ValueError(f"Argument(s) not recognized: {kwargs}"),
                        where=type(self), what="argument", name=next(iter(kwargs)), names=[],
                        fix="look for the right spelling in the documentation of the optimizer.")
        if sum(v is not None for v in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise error("arguments-exclude",
                        ValueError("Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                                   f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"),
                        what="clipnorm, clipvalue", other="global_clipnorm", fix="give one of the three.")
        self.name = name or naming.auto_name(type(self).__name__)
        self.weight_decay, self.clipnorm, self.clipvalue = weight_decay, clipnorm, clipvalue
        self.global_clipnorm, self.use_ema, self.ema_momentum = global_clipnorm, use_ema, ema_momentum
        self.ema_overwrite_frequency, self.loss_scale_factor = ema_overwrite_frequency, loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built, self._own, self._places, self._trainable_variables = False, [], {}, []
        self._waiting = []
        self._kept, self._calls = None, 0  # gradients that wait for others, where several calls make one step
        self._not_decayed: set = set()
        self.iterations = self._variable("iteration", np.int64(0), "int64")
        if isinstance(learning_rate, LearningRateSchedule) or callable(learning_rate):
            self._learning_rate = learning_rate
        else:
            self._learning_rate = self._variable("learning_rate", np.float32(float(learning_rate)), "float32")

    # ---- state ---------------------------------------------------------------------------
    def _variable(self, name, value, dtype):
        with naming.scope(self.name, self):
            v = Variable(np.asarray(value), dtype=dtype, trainable=False, name=name)
        self._own.append(v)
        return v

    @property
    def variables(self):
        """Iterations, learning rate and the states."""
        return list(self._own)

    def build(self, variables):
        """Make the states for these variables."""
        if self.built:
            return
        self._trainable_variables = list(variables)
        self._places = {v._number: i for i, v in enumerate(self._trainable_variables)}
        self._states = [{} for _ in self._trainable_variables]
        for slot in self.slots_used():
            for v, state in zip(self._trainable_variables, self._states):
                path = re.sub("[/:]", "_", getattr(v, "path", None) or v.name)
                like = v.numpy()
                state[slot] = self._variable(f"{path}_{slot}", self.first_state(slot, like), v.dtype)
        self.built = True
        for fn in self._waiting:
            fn()

    def when_built(self, fn):
        """Have `fn` called as soon as this optimizer has its states."""
        self._waiting.append(fn)

    def slots_used(self):
        """The names of the states of each variable, with these parameters."""
        return self.slots

    def first_state(self, slot, like):
        """The first value of a state for a variable of this value."""
        return np.zeros_like(like)

    @property
    def learning_rate(self):
        """The learning rate: a variable, or what the schedule gives now."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self.iterations)
        return self._learning_rate() if callable(self._learning_rate) else self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        if isinstance(value, LearningRateSchedule):
            self._learning_rate = value
        elif isinstance(self._learning_rate, LearningRateSchedule):
            raise error("call-order",
                        TypeError("This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` "
                                  "constructor argument, hence its learning rate is not settable."),
                        why="a schedule computes the learning rate from the number of steps.",
                        fix="make the optimizer with a number (learning_rate=0.01) to change it by hand.")
        else:
            self._learning_rate.assign(np.float32(float(value)))

    lr = learning_rate

    def _rate(self):
        """The learning rate as a number of float32."""
        return np.float32(float(self.learning_rate))

    # ---- steps ---------------------------------------------------------------------------
    def apply_gradients(self, grads_and_vars, **kwargs):
        """One step along gradients: pairs (gradient, variable); returns the number of steps so far."""
        pairs = list(grads_and_vars)
        return self.apply([g for g, _ in pairs], [v for _, v in pairs])

    def apply(self, grads, trainable_variables=None):
        """One step: the gradients of these variables (of those it was built with, if none are given)."""
        grads = list(grads)
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        if not grads:
            return
        if len(grads) != len(variables):
            raise error("lengths-differ",
                        ValueError("When passing `grads` without `variables`, the optimizer must already be built on a list "
                                   f"of variables. Received {len(grads)} gradients for {len(variables)} variables."),
                        what="grads", count=len(grads), other="variables", other_count=len(variables))
        if not self.built:
            self.build(variables)
        for v in variables:
            if v._number not in self._places:
                raise error("call-order",
                            ValueError(f"Unknown variable: {v}. This optimizer can only be called for the variables it was "
                                       "originally built with. When working with a new set of variables, you should recreate "
                                       "a new optimizer instance."),
                            why="the optimizer keeps momenta for the variables it met first; this is another one.",
                            fix="make a new optimizer for another model, or optimizer.build(variables) with all first.")
        pairs = [(g, v) for g, v in zip(grads, variables) if g is not None]
        if not pairs:
            raise error("not-defined", ValueError("No gradients provided for any variable."),
                        what="a gradient",
                        why="the loss does not depend on them, or was computed outside the tape, or went through NumPy.",
                        fix="compute the loss inside `with tf.GradientTape() as tape:`, with tf functions.")
        if len(pairs) < len(grads):
            missing = [getattr(v, "path", v.name) for g, v in zip(grads, variables) if g is None]
            warnings.warn(f"Gradients do not exist for variables {missing} when minimizing the loss. If using "
                          "`model.compile()`, did you forget to provide a `loss` argument?", stacklevel=3)
        with pause():
            self._step(pairs)

    def _step(self, pairs):
        values = [_array_of(g) for g, _ in pairs]
        if self.gradient_accumulation_steps:
            values = self._gathered(values)
            if values is None:
                return
        values = self._clipped(values)
        rate = self._rate()
        if self.update_step is not None:
            return self._steps_of_program(values, pairs, rate)
        if self.weight_decay:
            for _, v in pairs:
                if v._number not in self._not_decayed:
                    old = v._leaf._data
                    v._leaf._data = old - old * old.dtype.type(self.weight_decay) * old.dtype.type(rate)
        for g, (_, v) in zip(values, pairs):
            leaf = v._leaf
            w = leaf._data
            state = {k: s._leaf for k, s in self._states[self._places[v._number]].items()}
            self._rows = g if isinstance(g, _Rows) else None
            g = self._rows.summed() if self._rows else g
            leaf._data = self.update(w, g.astype(w.dtype, copy=False), state, w.dtype.type(rate))
        self._rows = None
        for _, v in pairs:
            if getattr(v, "constraint", None) is not None:
                v.assign(v.constraint(convert_to_tensor(v)))
        self.iterations.store(self.iterations.numpy() + 1)

    def update(self, w, g, state, rate):
        """The new value of a variable `w` with gradient `g`; `state[name]._data` are arrays to be replaced."""
        raise NotImplementedError

    # ---- optimizers that programs write ---------------------------------------------------
    update_step = None  # update_step(gradient, variable, learning_rate) changes the variable itself

    def add_variable_from_reference(self, reference_variable, name=None, initializer="zeros"):
        """A state in the form of a variable."""
        path = re.sub("[/:]", "_", getattr(reference_variable, "path", None) or reference_variable.name)
        return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, name=f"{path}_{name}")

    def add_variable(self, shape=(), initializer="zeros", dtype=None, aggregation="none", name=None):
        """A state."""
        dtype = as_dtype(dtype or "float32")
        return self._variable(name or "variable", initializers.get(initializer)(tuple(shape), dtype).numpy(), dtype.name)

    def _get_variable_index(self, variable):
        return self._places[variable._number]

    def assign(self, variable, value):
        """Give a variable another value."""
        variable.assign(value)

    def assign_add(self, variable, value):
        """Add to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable, value):
        """Subtract from a variable."""
        variable.assign_sub(value)

    def _steps_of_program(self, values, pairs, rate):
        """One step of an optimizer whose class defines `update_step`."""
        for g, (_, v) in zip(values, pairs):
            self.update_step(box(wrap(_summed(g))), v, box(wrap(rate)))
        self.iterations.store(self.iterations.numpy() + 1)

    def _gathered(self, values):
        """The mean of the gradients of so many calls, at the last of them; None at the others."""
        values = [_summed(g) for g in values]
        self._kept = values if self._kept is None else [a + g for a, g in zip(self._kept, values)]
        self._calls += 1
        if self._calls % self.gradient_accumulation_steps:
            return None
        mean, self._kept = [a / a.dtype.type(self.gradient_accumulation_steps) for a in self._kept], None
        return mean

    def _clipped(self, values):
        if self.clipnorm:
            return [_mapped(lambda v: _shortened(v, np.sqrt((v * v).sum()), self.clipnorm), g) for g in values]
        if self.global_clipnorm:
            length = np.sqrt(sum(map(_squares, values)))
            return [_shortened(_summed(g), length, self.global_clipnorm) for g in values]
        if self.clipvalue:
            return [_mapped(lambda v: np.clip(v, -self.clipvalue, self.clipvalue), g) for g in values]
        return values

    def each(self, fn, g):
        """`fn` of the gradient `g`; where rows of it are sums, the sum of `fn` of their parts, as TensorFlow has it."""
        return fn(g) if self._rows is None else self._rows.summed(fn).astype(g.dtype, copy=False)

    def steps(self, dtype):
        """The number of this step, from 1, as a number of a dtype."""
        return dtype.type(self.iterations.numpy() + 1)

    def minimize(self, loss, var_list, grad_loss=None, name=None, tape=None):
        """Compute the gradients of a loss (a function, or a tensor and its tape), and take one step."""
        if not callable(loss) and tape is None:
            raise error("arguments-together", ValueError("`tape` is required when a `Tensor` loss is passed."),
                        what="a loss that is a tensor", other="tape",
                        fix="pass the loss as a function (lambda: ...), or tape= as well.")
        if callable(loss):
            with GradientTape() as tape:
                variables = var_list() if callable(var_list) else None
                loss = loss()
        variables = var_list() if callable(var_list) else var_list
        variables = list(variables) if isinstance(variables, (list, tuple)) else [variables]
        self.apply_gradients(zip(tape.gradient(loss, variables, grad_loss), variables))

    def scale_loss(self, loss):
        """The loss: nothing is scaled."""
        return loss

    def finalize_variable_values(self, var_list):
        """There are no averages to put in place of the weights."""

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Spare these variables from weight decay."""
        self._not_decayed |= {v._number for v in var_list or ()}
        for name in var_names or ():
            self._not_decayed |= {v._number for v in self._trainable_variables if re.search(name, v.name)}

    def get_config(self):
        """The parameters by name."""
        rate = self._learning_rate
        config = {"name": self.name, "learning_rate": float(rate) if isinstance(rate, Variable) else {
            "class_name": type(rate).__name__, "config": rate.get_config()} if hasattr(rate, "get_config") else rate}
        for k in ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
                  "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps"):
            config[k] = getattr(self, k)
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The optimizer of a configuration."""
        return cls(**config)

    def get_weights(self):
        """The values of the states."""
        return [v.numpy() for v in self.variables]

    def set_weights(self, weights):
        """Set the values of the states."""
        for v, value in zip(self.variables, weights):
            v.assign(value)


class _Rows:
    """A gradient that consists of some rows, each perhaps several times."""

    def __init__(self, shape, at, values):
        self.shape, self.at, self.values = shape, at, values

    def summed(self, fn=None):
        """As an array of all rows: the sums of (`fn` of) what stands for each."""
        return sum_at(self.shape, (0,), (self.at,), self.values if fn is None else fn(self.values))


def _array_of(g):
    """A gradient as an array, or as rows."""
    if isinstance(g, IndexedSlices):
        return _Rows(tuple(g.shape), np.asarray(value_of(g.indices)._value), _array_of(g.values))
    return np.asarray(value_of(g).detach()._value)


def _summed(g):
    return g.summed() if isinstance(g, _Rows) else g


def _mapped(fn, g):
    return _Rows(g.shape, g.at, fn(g.values)) if isinstance(g, _Rows) else fn(g)


def _squares(g):
    v = g.values if isinstance(g, _Rows) else g
    return (v * v).sum()


def _shortened(g, length, limit):
    """`g`, whose (or whose company's) length is given, brought to the limit if it is longer."""
    return g * g.dtype.type(limit / max(float(length), limit))


