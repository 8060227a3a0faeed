"""Weights and models in files. The files are kobai's own: zip archives of JSON and NumPy arrays, not HDF5."""
from __future__ import annotations

import io
import json
import os
import zipfile

import numpy as np

from ....diagnose import error
from .. import nest

_KIND = "kobai-keras-1"


def _path(filepath, overwrite=True):
    path = os.fspath(filepath)
    if os.path.exists(path) and not overwrite:
        raise error("file", OSError(f"{path} exists; overwrite=True replaces it"),
                    path=path, why="it exists already", fix="choose another name, or pass overwrite=True.")
    return path


def _write_arrays(archive, arrays):
    for i, a in enumerate(arrays):
        buffer = io.BytesIO()
        np.save(buffer, a, allow_pickle=False)
        archive.writestr(f"weights/{i}.npy", buffer.getvalue())


def _read_arrays(archive):
    names = sorted((n for n in archive.namelist() if n.startswith("weights/")), key=lambda n: int(n[8:-4]))
    return [np.load(io.BytesIO(archive.read(n)), allow_pickle=False) for n in names]


def _opened(filepath):
    path = os.fspath(filepath)
    if not os.path.exists(path):
        raise error("file",
                    ValueError(f"File not found: filepath={path}. Please ensure the file is an accessible `.keras` zip file."),
                    path=path, why="there is no such file", fix="look at the path; it counts from {folder}.",
                    folder=os.getcwd())
    if not zipfile.is_zipfile(path):
        raise error("file", ValueError(f"{path} was not written by kobai. Files of Keras (HDF5) cannot be read here."),
                    path=path, why="it was not written by kobai",
                    fix="load it with Keras, save model.get_weights() with np.savez, and set_weights() here.")
    return zipfile.ZipFile(path)


def save_weights(model, filepath, overwrite=True):
    """Write the values of all weights."""
    if not os.fspath(filepath).endswith(".weights.h5"):
        raise error("file",
                    ValueError(f"The filename must end in `.weights.h5`. Received: filepath={os.fspath(filepath)}"),
                    path=os.fspath(filepath), why="the name says which kind of file it is",
                    fix="model.save_weights('name.weights.h5')")
    with zipfile.ZipFile(_path(filepath, overwrite), "w") as archive:
        archive.writestr("kind.json", json.dumps({"kind": _KIND, "paths": [_name(w) for w in model.weights]}))
        _write_arrays(archive, model.get_weights())


def _name(weight):
    return getattr(weight, "path", None) or weight.name


def load_weights(model, filepath):
    """Read the values of all weights."""
    path = os.fspath(filepath)
    if not os.path.exists(path):
        raise error("file",
                    FileNotFoundError(f"[Errno 2] Unable to synchronously open file (unable to open file: name = '{path}', "
                                      "errno = 2, error message = 'No such file or directory')"),
                    path=path, why="there is no such file", fix="look at the path; it counts from {folder}.",
                    folder=os.getcwd())
    with _opened(filepath) as archive:
        model.set_weights(_read_arrays(archive))


def save_model(model, filepath, overwrite=True):
    """Write what the model is made of, and its weights."""
    path = _path(filepath, overwrite)
    if not path.endswith((".keras", ".h5")):
        raise error("file",
                    ValueError("Invalid filepath extension for saving. Please add either a `.keras` extension for the native "
                               "Keras format (recommended) or a `.h5` extension. Use `model.export(filepath)` if you want to "
                               f"export a SavedModel for use with TFLite/TFServing/etc. Received: filepath={path}."),
                    path=path, why="the name says which kind of file it is", fix="model.save('name.keras')")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("kind.json", json.dumps({"kind": _KIND}))
        archive.writestr("model.json", json.dumps(_description(model), default=_plain))
        optimizer = getattr(model, "optimizer", None)
        states = optimizer.get_weights() if optimizer is not None and optimizer.built else []
        _write_arrays(archive, [*model.get_weights(), *states])


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """Make the model of a file that `model.save` wrote."""
    with _opened(filepath) as archive:
        if "model.json" not in archive.namelist():
            raise error("file", ValueError(f"{os.fspath(filepath)} holds weights only: model.load_weights(path)"),
                        path=os.fspath(filepath), why="it holds weights, but not how the model is built",
                        fix="build the model, then model.load_weights(path).")
        described = json.loads(archive.read("model.json"))
        model = _made(described, custom_objects or {})
        arrays = _read_arrays(archive)
    n = len(model.weights)
    model.set_weights(arrays[:n])
    if compile and described.get("compile"):
        model.compile(**described["compile"])
        if len(arrays) > n:
            model.optimizer.build(model.trainable_weights)
            model.optimizer.set_weights(arrays[n:])
    return model


def to_json(model, **kwargs):
    """What the model is made of, as text."""
    return json.dumps(_description(model), default=_plain, **kwargs)


def model_from_json(json_string, custom_objects=None):
    """The model that `to_json` described; its weights are new."""
    return _made(json.loads(json_string), custom_objects or {})


# ---- what a model is made of -----------------------------------------------------------------
def _description(model):
    from .model import Functional, Sequential  # models need this module
    if isinstance(model, Sequential):
        found = {"class_name": "Sequential", "config": model.get_config()}
    elif type(model) is Functional:
        found = {"class_name": "Functional", "config": graph_of(model)}
    else:
        found = {"class_name": type(model).__name__, "config": model.get_config(),
                 "build": list(model._build_shape) if model._build_shape else None}
    return {**found, "compile": _compiled(model)}


def _compiled(model):
    config = model._trainer.get("config") if model._trainer["compiled"] else None
    if config is None:
        return None
    simple = {k: v for k, v in config.items() if isinstance(v, (str, list, dict, type(None)))}
    simple["optimizer"] = {"class_name": type(model.optimizer).__name__.lower(), "config": model.optimizer.get_config()}
    if hasattr(config["loss"], "get_config"):
        simple["loss"] = {"class_name": type(config["loss"]).__name__, "config": config["loss"].get_config()}
    elif not isinstance(config["loss"], (str, list, dict, type(None))):
        return None
    return simple if all(isinstance(m, str) for m in config["metrics"] or []) else None


def graph_of(model):
    """A functional model as a list of calls."""
    places = {id(t): i for i, t in enumerate(model.inputs)}
    calls = []
    for node in model._nodes:
        op = node.operation
        if not hasattr(op, "get_config"):
            raise error("not-possible",
                        ValueError(f"The model cannot be saved: {op.name} is a function, not a layer. Put it into a layer of "
                                   "its own."),
                        why="the model uses {name}, a function, and only layers can be described in a file.",
                        name=op.name, fix="put it into a layer of its own, with get_config().")
        calls.append({"layer": op.name, "args": _encoded(list(node.args), places), "kwargs": _encoded(node.kwargs, places)})
        for t in node.flat_outputs:
            places[id(t)] = len(places)
    layers = [{"class_name": type(x).__name__, "config": x.get_config()} for x in dict.fromkeys(
        n.operation for n in model._nodes)]
    return {"name": model.name, "placeholders": [{"shape": t.shape, "dtype": t.dtype, "name": n}
                                                 for t, n in zip(model.inputs, model.input_names)],
            "layers": layers, "calls": calls, "inputs": _encoded(model._inputs_struct, places),
            "outputs": _encoded(model._outputs_struct, places)}


def _encoded(value, places):
    """Nested values with placeholders as their numbers."""
    if isinstance(value, (list, tuple)):
        return [_encoded(v, places) for v in value]
    if isinstance(value, dict):
        return {k: _encoded(v, places) for k, v in value.items()}
    return {_PLACE: places[id(value)]} if hasattr(value, "_is_symbolic") else value


def _decoded(value, known):
    """Nested values with the placeholders of these numbers."""
    if isinstance(value, list):
        return [_decoded(v, known) for v in value]
    if isinstance(value, dict):
        return known[value[_PLACE]] if _PLACE in value else {k: _decoded(v, known) for k, v in value.items()}
    return value


_PLACE = "place of a placeholder"


def _plain(value):
    if isinstance(value, (np.integer, np.floating)):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if callable(value):
        return getattr(value, "__name__", repr(value))
    raise error("not-possible", TypeError(f"{value!r} cannot be saved"),
                why="{kind} has no get_config(), so nothing says how to make it again.", kind=type(value),
                fix="write `def get_config(self): ...` in its class.")


def _made(described, custom_objects):
    from .model import Sequential
    name, config = described["class_name"], described["config"]
    if name == "Sequential":
        return Sequential.from_config(config, custom_objects)
    if name == "Functional":
        return from_graph(config, custom_objects)
    cls = custom_objects.get(name) or _registered.get(name)
    if cls is None:
        raise error("name-unknown",
                    TypeError(f"Could not locate class '{name}'. Make sure custom classes are decorated with "
                              "`@keras.saving.register_keras_serializable()`, or give them in custom_objects."),
                    where="the file", what="class", name=name, names=list(custom_objects),
                    fix="put @keras.saving.register_keras_serializable() before the class, or pass custom_objects={{name: class}}.")
    model = cls.from_config(config)
    if described.get("build"):
        model.build(tuple(described["build"]))
    return model


def from_graph(config, custom_objects=None):
    """The functional model that `graph_of` described; its weights are new."""
    from .layers import Input
    from .model import Model
    known = [Input(batch_shape=i["shape"], dtype=i["dtype"], name=i["name"]) for i in config["placeholders"]]
    layers = {c["config"]["name"]: layer_from(c, custom_objects) for c in config["layers"]}
    for call in config["calls"]:
        args, kwargs = _decoded(call["args"], known), _decoded(call["kwargs"], known)
        known += nest.flatten(layers[call["layer"]](*args, **kwargs))
    return Model(_decoded(config["inputs"], known), _decoded(config["outputs"], known), name=config["name"])


_registered: dict = {}


def register_keras_serializable(package="Custom", name=None):
    """Decorate a class so that saved models that use it can be read."""
    def decorate(cls):
        _registered[name or cls.__name__] = cls
        return cls
    return decorate


def layer_from(described, custom_objects=None):
    """The layer of a configuration."""
    from . import layers
    if described["class_name"] in ("Sequential", "Functional"):
        return _made(described, custom_objects or {})
    name, config = described["class_name"], dict(described["config"])
    cls = (custom_objects or {}).get(name) or _registered.get(name) or getattr(layers, name)
    if isinstance(config.get("layer"), dict):
        config["layer"] = layer_from(config["layer"], custom_objects)
    return cls.from_config({k: v for k, v in config.items() if k != "module"})
