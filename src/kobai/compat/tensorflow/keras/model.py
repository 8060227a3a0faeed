"""`keras.Model`: layers that are trained together; functional and sequential models."""
from __future__ import annotations

from ....diagnose import error
from .. import nest
from ..indexing import getitem
from ..shaping import expand_dims
from ..values import is_tensor_like
from . import naming, storing, summary as _summary
from .layer import Layer, _placeholders
from .layers.core import InputLayer
from .registry import policy
from .symbolic import KerasTensor, by_depth, infer, sorted_nodes
from .training import Trainer


def _is_functional(args, kwargs):
    return len(args) in (2, 3) and _symbols(args[0]) or "outputs" in kwargs and "inputs" in kwargs \
        or len(args) == 1 and "outputs" in kwargs


def _symbols(value):
    leaves = nest.flatten(value)
    return bool(leaves) and all(isinstance(v, KerasTensor) for v in leaves)


class Model(Trainer, Layer):
    """Subclass it and define `call`; or make one of placeholders: `Model(inputs, outputs)`."""

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The model of a configuration: of a graph of layers, or of the arguments of a class."""
        return storing.from_graph(config, custom_objects) if "calls" in config else cls(**config)

    def __new__(cls, *args, **kwargs):
        if cls is Model and _is_functional(args, kwargs):
            return Layer.__new__(Functional, *args, **kwargs)
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, *args, **kwargs):
        if _is_functional(args, kwargs) and not isinstance(self, Functional):
            self.__class__ = type(type(self).__name__, (type(self), Functional), {})  # a subclass made of placeholders
            Functional.__init__(self, *args, **kwargs)
            return
        Layer.__init__(self, *args, **kwargs)
        self._start_training()

    @property
    def layers(self):
        """The layers in it."""
        return self._layers

    def get_layer(self, name=None, index=None):
        """The layer of a name, or at a place."""
        if index is not None:
            if len(self.layers) <= index:
                raise error("position-range",
                            ValueError(f"Was asked to retrieve layer at index {index} but model only has {len(self.layers)} "
                                       "layers."),
                            what="index", value=index, size=len(self.layers), last=len(self.layers) - 1)
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise error("name-unknown",
                    ValueError(f"No such layer: {name}. Existing layers are: {[x.name for x in self.layers]}."),
                    where="the model", what="layer", name=name, names=[x.name for x in self.layers])

    def build(self, input_shape=None):
        """Make the weights by calling the model on placeholders of this shape."""
        if type(self).call is not Layer.call and input_shape is not None and not self.built and self._layers:
            shapes = input_shape if isinstance(input_shape, dict) or input_shape and isinstance(
                input_shape[0], (list, tuple)) else tuple(input_shape)
            if not all(layer.built for layer in self._layers):
                infer(self.call, (_placeholders(shapes, self._dtype),), {})
        self.built = True

    def _build_for(self, args, kwargs, takes):
        if type(self).build is not Model.build:
            super()._build_for(args, kwargs, takes)
        self.built = True

    def summary(self, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False,
                layer_range=None):
        """Print the layers, their shapes and numbers of weights."""
        _summary.show(self, line_length, positions, print_fn, expand_nested, show_trainable)

    def save_weights(self, filepath, overwrite=True, **kwargs):
        """Write the values of the weights into a file."""
        storing.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath, skip_mismatch=False, **kwargs):
        """Read the values of the weights from a file that `save_weights` wrote."""
        storing.load_weights(self, filepath)

    def save(self, filepath, overwrite=True, **kwargs):
        """Write the model and its weights into a file."""
        storing.save_model(self, filepath, overwrite)

    def to_json(self, **kwargs):
        """What the model is made of, as text for `keras.models.model_from_json`."""
        return storing.to_json(self, **kwargs)

    def get_config(self):
        return {"name": self.name} if type(self).get_config is Model.get_config else super().get_config()


class Functional(Model):
    """A model made of placeholders: the operations between its inputs and its outputs."""

    def __init__(self, inputs, outputs, name=None, **kwargs):
        Layer.__init__(self, name=name, **kwargs)
        self._start_training()
        for v in nest.flatten(outputs):
            if not isinstance(v, KerasTensor):
                raise error("argument-type",
                            ValueError(f"All `outputs` values must be KerasTensors. Received: outputs={outputs} including "
                                       f"invalid value {v} of type {type(v)}"),
                            what="an output", kind=type(v), must="what a layer makes of keras.Input",
                            fix="compute it with layers from keras.Input(...), not from arrays.")
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self.inputs, self.outputs = nest.flatten(inputs), nest.flatten(outputs)
        self._nodes = sorted_nodes(self.outputs, self.inputs)
        steps = by_depth(self.outputs, self.inputs)
        object.__setattr__(self, "_operations", steps)
        self._layers_in_order = [op for op in steps if isinstance(op, Layer)]
        self.input_names = [t.name if t.node is None else t.node.operation.name for t in self.inputs]
        self.output_names = [t.node.operation.name for t in self.outputs]
        self.built = True

    @property
    def _layers(self):
        return list(self._layers_in_order)

    input = property(lambda self: self._inputs_struct)
    output = property(lambda self: self._outputs_struct)
    input_shape = property(lambda self: nest.map_structure(lambda t: t.shape, self._inputs_struct))
    output_shape = property(lambda self: nest.map_structure(lambda t: t.shape, self._outputs_struct))

    def call(self, inputs, training=None, mask=None):
        values = self._matched(inputs)
        known = {id(t): _of_rank(v, len(t.shape)) for t, v in zip(self.inputs, values)}
        for node in self._nodes:
            node.compute(known)
        return nest.map_structure(lambda t: known[id(t)], self._outputs_struct)

    def _matched(self, inputs):
        """The values in the order of `self.inputs`: by name if they come in a dict."""
        if isinstance(inputs, dict) and not isinstance(self._inputs_struct, dict):
            by_name = {n: inputs.get(n) for n in self.input_names}
            missing = [n for n, v in by_name.items() if v is None]
            if missing:
                raise error("argument-missing",
                            ValueError(f"Missing data for input \"{missing[0]}\". You passed a data dictionary with keys "
                                       f"{list(inputs)}. Expected the following keys: {self.input_names}"),
                            fn="the model", what=missing[0], must="an array of numbers",
                            fix="give each input under its name: {names}.", names=list(self.input_names))
            return list(by_name.values())
        if isinstance(inputs, dict):
            inputs = {k: inputs[k] for k in self._inputs_struct}
        values = nest.flatten(inputs)
        if len(values) != len(self.inputs):
            raise error("argument-count",
                        ValueError(f"Layer \"{self.name}\" expects {len(self.inputs)} input(s), but it received {len(values)} "
                                   f"input tensors. Inputs received: {inputs}"),
                        what="the list of inputs", count=len(values), need="{n}", n=len(self.inputs))
        return values

    def __call__(self, *args, **kwargs):
        self._check_shapes(args)
        return super().__call__(*args, **kwargs)

    def _check_shapes(self, args):
        values = args[0] if args else []
        if isinstance(values, dict) and not isinstance(self._inputs_struct, dict):
            values = [values.get(n) for n in self.input_names]
        values = nest.flatten(values)
        if len(values) != len(self.inputs):
            return
        for i, (t, v) in enumerate(zip(self.inputs, values)):
            shape = tuple(getattr(v, "shape", t.shape))
            if len(shape) == len(t.shape) and any(a is not None and b is not None and a != b
                                                  for a, b in zip(t.shape, shape)):
                raise error("tensor-shape",
                            ValueError(f'Input {i} with name \'{self.input_names[i]}\' of layer \'{self.name}\' is incompatible '
                                       f"with the layer: expected shape={t.shape}, found shape={shape}"),
                            what=f"the input {self.input_names[i]}", shape=shape, want=tuple(t.shape))

    def compute_output_spec(self, *args, **kwargs):
        known = {id(t): v for t, v in zip(self.inputs, self._matched(args[0]))}
        for node in self._nodes:
            a, k = nest.map_structure(lambda v: known[id(v)] if isinstance(v, KerasTensor) else v,
                                      [list(node.args), node.kwargs])
            op = node.operation
            made = op.compute_output_spec(*a, **k) if isinstance(op, Layer) else infer(op, a, k)
            known.update(zip(map(id, node.flat_outputs), nest.flatten(made)))
        return nest.map_structure(lambda t: KerasTensor(known[id(t)].shape, known[id(t)].dtype), self._outputs_struct)

    def compute_output_shape(self, input_shape):
        return Layer.compute_output_shape(self, input_shape)

    def _build_for(self, args, kwargs, takes):
        self.built = True

    def get_config(self):
        return storing.graph_of(self) if type(self) is Functional else super().get_config()

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _of_rank(value, rank):
    """A batch of numbers for an input [batch, 1], or the other way round."""
    if not is_tensor_like(value) or not hasattr(value, "ndim"):
        return value
    if value.ndim == rank - 1:
        return expand_dims(value, -1)
    if value.ndim == rank + 1 and value.shape[-1] == 1:
        return getitem(value, (Ellipsis, 0))
    return value


class Sequential(Model):
    """One layer after the other.

    >>> from kobai.compat.tensorflow import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> model.output_shape, model.count_params()
    ((None, 2), 8)
    """

    def __new__(cls, *args, **kwargs):
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, layers=None, trainable=True, name=None):
        Layer.__init__(self, trainable=trainable, name=name)
        self._start_training()
        self._stack, self._input, self._functional = [], None, None
        if not isinstance(trainable, bool):
            raise error("argument-type", ValueError(f"Expected `trainable` to be a boolean. Received: trainable={trainable} "
                                                    f"(of type {type(trainable)})"),
                        what="trainable", kind=type(trainable), must="True or False",
                        fix="Sequential takes one list: put square brackets around the layers, Sequential([a, b]).")
        for layer in layers or []:
            self.add(layer, rebuild=False)
        self._try_build()

    def add(self, layer, rebuild=True):
        """Put a layer behind the others."""
        if isinstance(layer, KerasTensor):  # keras.Input gives a placeholder
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            raise error("argument-type",
                        ValueError("Only instances of `keras.Layer` can be added to a Sequential model. Received: "
                                   f"{layer} (of type {type(layer)})"),
                        what="layer", kind=type(layer), must="a layer",
                        fix="add keras.layers.Dense(...), or a function by keras.layers.Lambda(f).")
        if any(x is layer or x.name == layer.name for x in self._stack):
            raise error("name-taken",
                        ValueError("All layers added to a Sequential model should have unique names. Name "
                                   f"'{layer.name}' is already the name of a layer in this model. Update the `name` argument "
                                   "to pass a unique name."),
                        where="the model", name=repr(layer.name))
        if isinstance(layer, InputLayer):
            if self._stack or self._input is not None:
                raise error("call-order",
                            ValueError(f"Sequential model '{self.name}' has already been configured to use input shape "
                                       f"{self._input.output.shape if self._input else '?'}. You cannot add a different "
                                       "Input layer to it."),
                            why="the model has an input already.", fix="add the Input first, and only once.")
            self._input = layer
        else:
            if not self._stack and self._input is None and layer._input_shape_arg is not None:
                self._input = InputLayer(layer._input_shape_arg)
            self._stack = [*self._stack, layer]
        if rebuild:
            self._try_build()

    def pop(self, rebuild=True):
        """Take the last layer away, and return it."""
        layer, self._stack = self._stack[-1], self._stack[:-1]
        self.built, self._functional = False, None
        self._try_build()
        return layer

    @property
    def layers(self):
        return list(self._stack)

    @property
    def _layers(self):
        return list(self._stack)

    def _try_build(self):
        self._functional = None
        first = self._stack[0] if self._stack else None
        if self._input is not None and self._stack:
            self._make(self._input.output)
        elif isinstance(first, (Functional, Sequential)) and first.built and getattr(first, "inputs", None):
            self._make(InputLayer(batch_shape=first.inputs[0].shape, dtype=first.inputs[0].dtype).output)

    def _make(self, x):
        """Call the layers on a placeholder, which makes their weights."""
        start = x
        with naming.scope(self.name, self):
            for layer in self._stack:
                try:
                    x = layer(x)
                except NotImplementedError:  # its shapes are known only with a value
                    return
        naming.auto_name("functional")  # Keras makes a functional model of its own here, and it takes a name
        object.__setattr__(self, "_functional", Functional(start, x, name=self.name))
        self.built = True

    def build(self, input_shape=None):
        """Make the weights for inputs of this shape, batch included."""
        if input_shape is None:
            return
        if not self._stack:
            raise error("call-order",
                        ValueError(f"Sequential model {self.name} cannot be built because it has no layers. Call "
                                   "`model.add(layer)`."),
                        why="there are no layers yet.", fix="model.add(keras.layers.Dense(...)) before build().")
        if self._functional is None:
            self._make(InputLayer(batch_shape=tuple(input_shape)).output)
        elif tuple(input_shape) != (have := tuple(self._functional.inputs[0].shape)):
            raise error("call-order",
                        ValueError(f"Sequential model '{self.name}' has already been configured to use input shape {have}. "
                                   f"You cannot build it with input_shape {tuple(input_shape)}"),
                        why="the model was built for another input shape.",
                        fix="make a new model for another input shape.")
        self.built = True

    def _build_for(self, args, kwargs, takes):
        x = args[0]
        if hasattr(x, "shape"):
            self._build_shape = tuple(x.shape)
        if self._functional is None and self._stack and not isinstance(x, (list, tuple, dict)):
            dtype = x.dtype if isinstance(x.dtype, str) else x.dtype.name
            self._make(InputLayer(batch_shape=tuple(x.shape), dtype=dtype).output)
        self.built = True

    def call(self, inputs, training=None, mask=None):
        rank = len(self._input.output.shape) if self._input is not None else None
        x = inputs if rank is None else _of_rank(inputs, rank)
        for layer in self._stack:
            x = layer(x)
        return x

    def compute_output_spec(self, *args, **kwargs):
        if self._functional is not None:
            return self._functional.compute_output_spec(*args, **kwargs)
        return super().compute_output_spec(*args, **kwargs)

    def compute_output_shape(self, input_shape):
        for layer in self._stack:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def _known(self, name):
        if self._functional is None:
            raise error("call-order", AttributeError(f"Sequential model '{self.name}' has no defined {name}s yet."),
                        why="a Sequential model has no input and output before it knows the shape of its input.",
                        fix="put keras.Input(shape=...) first, or call the model once.")
        return getattr(self._functional, name)

    inputs = property(lambda self: self._known("inputs"))
    outputs = property(lambda self: self._known("outputs"))
    input = property(lambda self: self._known("input"))
    output = property(lambda self: self._known("output"))
    input_shape = property(lambda self: self._known("input_shape"))
    output_shape = property(lambda self: self._known("output_shape"))

    def __repr__(self):
        return f"<Sequential name={self.name}, built={self.built}>"

    def get_config(self):
        first = [self._input] if self._input is not None else []
        built = {"build_input_shape": self.input_shape} if self._functional is not None else {}
        return {"name": self.name, "trainable": self.trainable, "dtype": policy(self._dtype), "layers": [
            {"class_name": type(x).__name__, "config": x.get_config()} for x in [*first, *self._stack]], **built}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The model of a configuration."""
        return cls([storing.layer_from(c, custom_objects) for c in config["layers"]], name=config.get("name"))


def clone_model(model, input_tensors=None, clone_function=None):
    """A model of the same layers with weights of its own."""
    copy = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))
    if isinstance(model, Sequential):
        first = [InputLayer(batch_shape=model._input.batch_shape, dtype=model._input._dtype)] if model._input else []
        return Sequential([*first, *[copy(x) for x in model.layers]], name=model.name)
    if not isinstance(model, Functional):
        raise error("argument-type",
                    ValueError("Expected `model` argument to be a `Sequential` or functional model, got a subclassed model: "
                               f"{model}"),
                    what="model", kind=type(model), must="a Sequential or functional model",
                    fix="for a class of your own, make a new object: MyModel(...).")
    known = {id(t): InputLayer(batch_shape=t.shape, dtype=t.dtype).output for t in model.inputs}
    made = {}
    for node in model._nodes:
        op = node.operation
        new = made.setdefault(id(op), copy(op) if isinstance(op, Layer) else op)
        a, k = nest.map_structure(lambda v: known[id(v)] if isinstance(v, KerasTensor) else v,
                                  [list(node.args), node.kwargs])
        known.update(zip(map(id, node.flat_outputs), nest.flatten(new(*a, **k))))
    return Model(nest.map_structure(lambda t: known[id(t)], model._inputs_struct),
                 nest.map_structure(lambda t: known[id(t)], model._outputs_struct), name=model.name)
