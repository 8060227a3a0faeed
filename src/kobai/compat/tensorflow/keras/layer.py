"""`keras.Layer`: weights, and a function of tensors that uses them."""
from __future__ import annotations

import functools
import inspect
import threading
import warnings

import numpy as np

from ....diagnose import error
from .. import dtypes, nest
from ..tensors import EagerTensor
from ..values import cast, convert_to_tensor, is_tensor_like
from ..variables import Variable as _TfVariable
from . import constraints, initializers, naming, regularizers, reporting
from .registry import config_of, dtype_of, policy
from .seeds import SeedGenerator
from .settings import floatx
from .spec import InputSpec, check_inputs
from .symbolic import KerasTensor, Node, Operation, has_symbols, infer
from .variable import Variable


class _Context(threading.local):
    """The calls that are running: the outermost layer, and whether it trains."""

    depth = 0
    training = None


context = _Context()
_CONTAINERS = (list, tuple, dict)


class Layer(Operation):
    """The base of all layers. Subclasses define `call`, and `build` where weights depend on the input's shape.

    >>> import kobai.compat.tensorflow as tf
    >>> class Scale(tf.keras.Layer):
    ...     def build(self, shape):
    ...         self.factor = self.add_weight(shape=(shape[-1],), initializer="ones")
    ...     def call(self, x):
    ...         return x * self.factor
    >>> print(Scale()(tf.constant([[1., 2.]])))
    tf.Tensor([[1. 2.]], shape=(1, 2), dtype=float32)
    """

    autocast = True
    supports_masking = False
    input_spec = None
    _allow_non_tensor_positional_args = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _in_scope(cls.build)

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        object.__setattr__(self, "_made_with", (args, kwargs))
        return self

    def __init__(self, *, activity_regularizer=None, trainable=True, dtype=None, autocast=True, name=None, **kwargs):
        self._tracked, self._weights, self._losses = {}, [], []
        input_dim, shape = kwargs.pop("input_dim", None), kwargs.pop("input_shape", None)
        batch_shape = kwargs.pop("batch_input_shape", kwargs.pop("batch_shape", None))
        kwargs.pop("weights", None)
        if input_dim is not None or shape is not None:
            warnings.warn("Do not pass an `input_shape`/`input_dim` argument to a layer. When using Sequential models, "
                          "prefer using an `Input(shape)` object as the first layer in the model instead.",
                          UserWarning, stacklevel=3)
            shape = (input_dim,) if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        self._input_shape_arg = tuple(batch_shape[1:]) if batch_shape is not None else shape
        super().__init__(name)
        if kwargs:
            raise error("name-unknown",
                        ValueError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}"),
                        where=type(self), what="argument", name=next(iter(kwargs)), names=[],
                        fix="look for the right spelling in the documentation of the layer.")
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = bool(trainable)
        self._dtype = dtypes.as_dtype(dtype_of(dtype) or floatx()).name
        self.built, self.autocast = False, autocast
        self._build_shape = self._path = None
        self._build_shapes = {}  # where `build` took several: by the names of its arguments

    # ---- attributes ----------------------------------------------------------------------
    def __setattr__(self, name, value):
        if name not in ("_tracked", "_weights", "_losses", "_made_with", "_inbound_nodes"):
            self._track(name, value)
        object.__setattr__(self, name, value)
        if name == "built" and value:
            for fn in self.__dict__.pop("_waiting", ()):
                fn()

    def when_built(self, fn):
        """Have `fn` called as soon as this layer has its weights."""
        self.__dict__.setdefault("_waiting", []).append(fn)

    def _track(self, name, value):
        tracked = self.__dict__.get("_tracked")
        if tracked is None:
            if isinstance(value, (Layer, Variable, *_CONTAINERS)) or name in ("_trainable", "built"):
                raise error("call-order",
                            RuntimeError(f"In layer {type(self).__name__!r}, you forgot to call `super().__init__()` as the "
                                         "first statement in the `__init__()` method. Go add it!"),
                            why="the layer keeps track of its weights from `super().__init__()` on, and that was not called yet.",
                            fix="write `super().__init__()` as the first line of `__init__`.")
            return
        if isinstance(value, (Variable, _TfVariable)):
            if not any(w is value for w in self._weights):
                self._weights.append(value)
        elif isinstance(value, (Layer, SeedGenerator, *_CONTAINERS)) or hasattr(value, "update_state"):
            if name != "_made_with":
                tracked[name] = None

    def __getattr__(self, name):
        if name == "_tracked" or "_tracked" not in self.__dict__:
            raise error("call-order",
                        RuntimeError(f"In layer {type(self).__name__!r}, you forgot to call `super().__init__()` as the first "
                                     "statement in the `__init__()` method. Go add it!"),
                        why="the layer keeps track of its weights from `super().__init__()` on, and that was not called yet.",
                        fix="write `super().__init__()` as the first line of `__init__`.")
        if name in ("input", "output", "input_shape", "output_shape"):  # the property was asked, and had none
            raise AttributeError(f"The layer {self.name} has never been called and thus has no defined {name}.")
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def _held(self, wanted):
        """What is wanted among the attributes, and in lists and dicts among them."""
        found, seen = [], set()
        for name in self._tracked:
            value = self.__dict__.get(name)
            for leaf in (nest.flatten(value) if isinstance(value, _CONTAINERS) else (value,)):
                if wanted(leaf) and id(leaf) not in seen:
                    seen.add(id(leaf))
                    found.append(leaf)
        return found

    @property
    def _layers(self):
        return self._held(lambda v: isinstance(v, Layer))

    def _flatten_layers(self, include_self=True, recursive=True):
        """This layer, and those below it."""
        found = [self] if include_self else []
        for layer in self._layers:
            found += layer._flatten_layers() if recursive else [layer]
        return found

    # ---- weights -------------------------------------------------------------------------
    def add_weight(self, shape=None, initializer=None, dtype=None, trainable=True, autocast=True, regularizer=None,
                   constraint=None, aggregation="none", overwrite_with_gradient=False, name=None, **kwargs):
        """A new variable of this layer."""
        if isinstance(shape, str):  # Keras 2 had the name in front
            shape, name = kwargs.pop("shape", initializer if not isinstance(initializer, str) else ()), shape
            initializer = None if initializer is shape else initializer
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple([int(s) for s in shape])
        d = dtypes.as_dtype(dtype or self._dtype)
        if initializer is None:
            initializer = "glorot_uniform" if d.is_floating else "zeros"
        initializer = initializers.get(initializer)
        with naming.scope(self.name, self):
            variable = Variable(initializers.first_value(initializer, shape, d), dtype=d, trainable=trainable,
                                name=name)
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        self._weights.append(variable)
        return variable

    @property
    def _own_weights(self):
        held = self._held(lambda v: isinstance(v, (Variable, _TfVariable)))
        own = self._weights + [v for v in held if not any(v is w for w in self._weights)]
        return [w for w in own if w.trainable] + [w for w in own if not w.trainable]

    @property
    def weights(self):
        """All weights: this layer's trainable ones, its others, and those of the layers in it."""
        return _distinct([*self._own_weights, *[w for layer in self._layers for w in layer.weights]])

    @property
    def variables(self):
        """The weights, and the states of random generators."""
        own = [*self._own_weights, *[g.state for g in self._held(lambda v: isinstance(v, SeedGenerator))]]
        return _distinct([*own, *[v for layer in self._layers for v in layer.variables]])

    def _by_trainable(self, trainable):
        """Weights to be trained, or the others; below a layer that is not trainable there are none to be trained."""
        own = [w for w in self._own_weights if (w.trainable and self._trainable) == trainable]
        below = [w for layer in self._layers
                 for w in (layer._by_trainable(trainable) if self._trainable else [] if trainable else layer.weights)]
        return _distinct([*own, *below])

    trainable_weights = trainable_variables = property(lambda self: self._by_trainable(True))
    non_trainable_weights = property(lambda self: self._by_trainable(False))

    @property
    def non_trainable_variables(self):
        mine = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in mine]

    @property
    def trainable(self):
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        for layer in self._layers:
            layer.trainable = value

    def get_weights(self):
        """The values of the weights as NumPy arrays."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights):
        """Set the values of the weights. Raises ValueError for another number of them, or other shapes."""
        own = self.weights
        if len(own) != len(weights):
            raise error("lengths-differ",
                        ValueError(f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length "
                                   f"{len(weights)}, but the layer was expecting {len(own)} weights."),
                        what="weights", count=len(weights), other="the layer", other_count=len(own),
                        fix="layer.get_weights() shows which arrays belong here, and in which order.")
        for w, value in zip(own, weights):
            if tuple(w.shape) != np.shape(value):
                raise error("tensor-shape",
                            ValueError(f"Layer {self.name} weight shape {tuple(w.shape)} is not compatible with provided "
                                       f"weight shape {np.shape(value)}."),
                            what="the array for a weight", shape=np.shape(value), want=tuple(w.shape))
            w.assign(np.asarray(value, w.numpy().dtype))

    def count_params(self):
        """The number of elements in all weights."""
        if not self.built:
            raise error("call-order",
                        ValueError(f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. You "
                                   f"can build it manually via: `layer.build(input_shape)`."),
                        why="the sizes of the weights are not known before the layer has seen an input.",
                        fix="call the layer once, or layer.build(input_shape).")
        return int(sum(np.prod(w.shape, dtype=np.int64) for w in self.weights))

    dtype = variable_dtype = compute_dtype = property(lambda self: self._dtype)
    path = property(lambda self: self._path or self.name)

    # ---- losses and metrics --------------------------------------------------------------
    def add_loss(self, loss):
        """Add a loss that depends on this call's tensors."""
        self._losses += nest.flatten(loss)

    @property
    def losses(self):
        """What calls have added, here and below, and what regularizers make of the weights."""
        added = [v for layer in self._flatten_layers() for v in layer._losses]
        return added + [w.regularizer(w) for w in self.trainable_weights if getattr(w, "regularizer", None) is not None]

    @property
    def metrics(self):
        """The metrics among the attributes, here and below."""
        own = self._held(lambda v: hasattr(v, "update_state") and not isinstance(v, Layer))
        return own + [v for layer in self._layers for v in layer.metrics]

    # ---- calling -------------------------------------------------------------------------
    def build(self, input_shape):
        """Make the weights for inputs of this shape."""
        self.built = True

    def call(self, *args, **kwargs):
        """What the layer computes."""
        kind = "Model" if hasattr(self, "train_step") else "Layer"
        raise error("method-missing",
                    NotImplementedError(f"{kind} {type(self).__name__} does not have a `call()` method implemented."),
                    cls=type(self), what="call")

    def __call__(self, *args, **kwargs):
        convert = self._converted
        args = tuple([convert(a) for a in args])
        kwargs = {k: convert(v) if isinstance(v, (np.ndarray, EagerTensor, *_CONTAINERS)) else v
                  for k, v in kwargs.items()}
        if not self._allow_non_tensor_positional_args:
            self._only_tensors(args)
        takes = _signature(type(self))
        if self.input_spec is not None:
            check_inputs(self.input_spec, args[0] if args else next(iter(kwargs.values()), None), self.name)
        outermost = context.depth == 0
        if outermost:
            for layer in self._flatten_layers():
                layer._losses.clear()
        before = context.training
        self._set_training(takes, kwargs, len(args))
        self._set_mask(takes, args, kwargs)
        context.depth += 1
        try:
            with naming.scope(self.name, self):
                if not self.built:
                    self._build_for(args, kwargs, takes)
                if has_symbols(args, kwargs):
                    return self._symbolic(args, kwargs)
                try:
                    outputs = self.call(*args, **kwargs)
                except Exception as error:
                    reporting.report(self, error, args, kwargs)
            self.built = True
        finally:
            context.depth -= 1
            context.training = before
        if self.activity_regularizer is not None:
            for out in nest.flatten(outputs):
                self.add_loss(self.activity_regularizer(out) / float(out.shape[0] if out.ndim else 1))
        self._pass_mask(args, outputs)
        return outputs

    def _converted(self, value):
        """Arrays as tensors, and floats in the dtype of the layer."""
        if isinstance(value, _CONTAINERS):
            return nest.map_structure(self._converted, value) if value else value
        if isinstance(value, (np.ndarray, np.generic)):
            value = convert_to_tensor(value)
        if isinstance(value, EagerTensor):
            d = value._t._value.dtype
            if self.autocast and d.kind in "fV" and d != dtypes.as_dtype(self._dtype).np:
                mask = getattr(value, "_keras_mask", None)
                value = cast(value, self._dtype)
                if mask is not None:
                    value._keras_mask = mask
        return value

    def _only_tensors(self, args):
        for value in nest.flatten(args):
            if not (value is None or isinstance(value, KerasTensor) or is_tensor_like(value)
                    or hasattr(value, "_is_dataset")):
                raise error("argument-type",
                            ValueError("Only input tensors may be passed as positional arguments. The following argument value "
                                       f"should be passed as a keyword argument: {value} (of type {type(value)})"),
                            what="a positional argument", kind=type(value), must="a tensor",
                            fix="name it: layer(x, training=True).")

    def _set_training(self, takes, kwargs, given):
        """Whether this call trains: as it is told, as the layer around it does, or by the default of `call`."""
        if "training" not in takes:
            if "training" in kwargs:
                context.training = kwargs.pop("training")
            return
        place = list(takes).index("training")
        if kwargs.get("training") is None and given <= place:
            training = context.training
            if training is None:
                default = takes["training"].default
                training = default if default is not inspect.Parameter.empty else None
            if training is not None or takes["training"].default is inspect.Parameter.empty:
                kwargs["training"] = training
        if kwargs.get("training") is not None:
            context.training = kwargs["training"] = bool(kwargs["training"])

    def _set_mask(self, takes, args, kwargs):
        if "mask" in takes and kwargs.get("mask") is None and args and len(args) < 2:
            masks = nest.map_structure(_mask_of, args[0]) if isinstance(args[0], (list, tuple)) else _mask_of(args[0])
            if any(v is not None for v in nest.flatten(masks)):
                kwargs["mask"] = masks

    def compute_mask(self, inputs, previous_mask):
        """The mask of the outputs: that of the inputs."""
        return previous_mask

    def _pass_mask(self, args, outputs):
        first = args[0] if args else None
        mask = _mask_of(first) if isinstance(first, EagerTensor) else None
        own = type(self).compute_mask is not Layer.compute_mask
        if isinstance(outputs, EagerTensor) and (own or mask is not None and self.supports_masking):
            found = self.compute_mask(first, mask)
            if found is not None:
                outputs._keras_mask = found

    def _build_for(self, args, kwargs, takes):
        """Call `build` with the shapes of the arguments; without one of its own, by trying the call."""
        names = dict(zip(takes, args)) | kwargs
        shapes = {k: nest.map_structure(lambda t: tuple(t.shape), v) for k, v in names.items()
                  if v is not None and _is_tensors(v)}
        self._path = naming.path_to("").rstrip("/")
        wanted = list(inspect.signature(self.build).parameters.values())
        if len(wanted) > 1 and len(shapes) > 1 and wanted[0].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            given = {f"{k}_shape": s for k, s in shapes.items() if f"{k}_shape" in {p.name for p in wanted}}
            self._build_shape, self._build_shapes = next(iter(given.values()), None), given
            self.build(**given)
        else:
            self._build_shape = next(iter(shapes.values()), None)
            self.build(self._build_shape)
        self.built = True

    def _symbolic(self, args, kwargs):
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args, **kwargs):
        """Placeholders for the outputs of a call on placeholders."""
        if type(self).compute_output_shape is not Layer.compute_output_shape and not _several(args, kwargs):
            shapes = nest.map_structure(lambda t: t.shape, args[0])
            return _placeholders(self.compute_output_shape(shapes), self._dtype)
        return infer(self.call, args, kwargs)

    def compute_output_shape(self, *args, **kwargs):
        """The shape of the outputs for inputs of this shape."""
        shape = args[0] if args else next(iter(kwargs.values()))
        out = self.compute_output_spec(KerasTensor(shape, self._dtype))
        return nest.map_structure(lambda t: t.shape, out)

    # ---- what it is ----------------------------------------------------------------------
    @property
    def input(self):
        return self._one_node().args[0]

    @property
    def output(self):
        return self._one_node().outputs

    def _one_node(self):
        if not self._inbound_nodes:
            raise AttributeError  # (__getattr__ says more)
        return self._inbound_nodes[0]

    input_shape = property(lambda self: nest.map_structure(lambda t: t.shape, self.input))
    output_shape = property(lambda self: nest.map_structure(lambda t: t.shape, self.output))

    def get_config(self):
        """The parameters by name: those of `Layer`, and what the object was made with."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": policy(self._dtype)}
        args, kwargs = self._made_with
        try:
            bound = inspect.signature(type(self).__init__).bind(self, *args, **kwargs)
        except TypeError:
            return config
        for k, p in list(inspect.signature(type(self).__init__).parameters.items())[1:]:
            if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
                continue
            value = bound.arguments.get(k, p.default)
            value = self.__dict__.get(k, value)
            config[k] = config_of(value) if callable(value) or hasattr(value, "get_config") else value
        return config

    @classmethod
    def from_config(cls, config):
        """The layer of a configuration."""
        own = dtype_of(config.get("dtype")) not in (None, floatx())
        return cls(**{k: v for k, v in config.items() if k != "dtype" or own})

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _in_scope(build):
    """A `build` whose variables have the layer's name in their path; after it the layer is built."""
    @functools.wraps(build)
    def wrapped(self, *args, **kwargs):
        with naming.scope(self.name, self):
            build(self, *args, **kwargs)
        self.built = True
    return wrapped


def _distinct(values):
    return list({id(v): v for v in values}.values())


_signatures: dict = {}


def _signature(cls):
    """The parameters of `call`, without self."""
    found = _signatures.get(cls.call)
    if found is None:
        found = dict(list(inspect.signature(cls.call).parameters.items())[1:])
        _signatures[cls.call] = found
    return found


def _mask_of(value):
    return getattr(value, "_keras_mask", None) if isinstance(value, EagerTensor) else None


def _is_tensors(value):
    leaves = nest.flatten(value)
    return bool(leaves) and all(isinstance(v, (EagerTensor, KerasTensor)) or is_tensor_like(v) for v in leaves)


def _several(args, kwargs):
    return len(args) != 1 or has_symbols(list(kwargs.values()))


def _placeholders(shape, dtype):
    """A KerasTensor for a shape; nested ones for nested shapes."""
    if isinstance(shape, dict):
        return {k: _placeholders(v, dtype) for k, v in shape.items()}
    if isinstance(shape, (list, tuple)) and any(isinstance(s, (list, tuple, dict)) for s in shape):
        return type(shape)([_placeholders(s, dtype) for s in shape])
    return KerasTensor(shape, dtype)


__all__ = ["InputSpec", "Layer"]
