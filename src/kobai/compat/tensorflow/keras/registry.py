"""From names and configurations to Keras objects: `keras.losses.get("mse")`, `Dense.from_config(...)`."""
from __future__ import annotations

import inspect

from ....diagnose import error


def make_get(kind, known, base=None, default=None):
    """A function `get(identifier)` for one kind of object.

    Args: `kind`, what messages call it; `known`, a function from a name to a class or function, or None.
    """
    def get(identifier):
        """The object that a name, class, configuration or object stands for; None for None."""
        if identifier is None:
            return default
        if isinstance(identifier, dict):
            cls = known(identifier["class_name"])
            return cls(**identifier.get("config", {}))
        found = known(identifier) if isinstance(identifier, str) else identifier
        if inspect.isclass(found):
            found = found()
        if found is None or not callable(found) and not (base is not None and isinstance(found, base)):
            raise error("argument-value", ValueError(f"Could not interpret {kind} identifier: {identifier}"),
                        what=kind, value=identifier, must="a name that Keras knows, an object or a function",
                        fix="look for the right spelling: 'adam', 'relu', 'categorical_crossentropy'.")
        return found
    return get


def config_of(thing):
    """How a configuration names a part: by its class and parameters, or by the name of a function."""
    if thing is None:
        return None
    if hasattr(thing, "get_config"):
        module = next((m for m in ("initializers", "regularizers", "constraints", "losses", "metrics", "optimizers")
                       if f".{m}" in type(thing).__module__), None)
        return {"module": f"keras.{module}" if module else None, "class_name": type(thing).__name__,
                "config": thing.get_config(), "registered_name": None}
    return getattr(thing, "__name__", thing)


def policy(dtype):
    """How a configuration names the dtype of a layer."""
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": dtype}, "registered_name": None}


def dtype_of(given):
    """The dtype of a configuration, or of what a program gives."""
    return given["config"]["name"] if isinstance(given, dict) else given
