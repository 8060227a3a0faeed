"""The float type of layers, the smallest number that counts as one, and the order of dimensions."""
from __future__ import annotations

from ....diagnose import error

_values = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}


def floatx():
    """The dtype of new variables: "float32" unless it was set."""
    return _values["floatx"]


def set_floatx(value):
    """Set the dtype of new variables."""
    if value not in ("bfloat16", "float16", "float32", "float64"):
        raise error("argument-choice",
                    ValueError(f"Unknown `floatx` value: {value}. Expected one of "
                               "('bfloat16', 'float16', 'float32', 'float64')"),
                    what="floatx", value=value, choices=["bfloat16", "float16", "float32", "float64"])
    _values["floatx"] = value


def epsilon():
    """The small number that keeps logarithms and quotients finite."""
    return _values["epsilon"]


def set_epsilon(value):
    """Set the small number."""
    _values["epsilon"] = float(value)


def image_data_format():
    """"channels_last", unless it was set."""
    return _values["image_data_format"]


def set_image_data_format(data_format):
    """Set where images have their channels."""
    if data_format not in ("channels_first", "channels_last"):
        raise error("argument-choice",
                    ValueError("The `data_format` argument must be one of {'channels_first', 'channels_last'}. Received: "
                               f"data_format={data_format}"),
                    what="data_format", value=data_format, choices=["channels_first", "channels_last"])
    _values["image_data_format"] = data_format


def backend():
    """The name of the backend that the program expects."""
    return "tensorflow"
