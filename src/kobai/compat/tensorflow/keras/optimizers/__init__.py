"""`tf.keras.optimizers`."""
from __future__ import annotations

from ..registry import config_of as _config_of, make_get as _make_get
from . import legacy as legacy, schedules as schedules
from .base import Optimizer as Optimizer
from .rules import (
    SGD as SGD,
    Adadelta as Adadelta,
    Adafactor as Adafactor,
    Adagrad as Adagrad,
    Adam as Adam,
    Adamax as Adamax,
    AdamW as AdamW,
    Ftrl as Ftrl,
    Lion as Lion,
    Nadam as Nadam,
    RMSprop as RMSprop,
)

_BY_NAME = {c.__name__.lower(): c for c in (
    SGD, Adadelta, Adafactor, Adagrad, Adam, Adamax, AdamW, Ftrl, Lion, Nadam, RMSprop)}
for _class in (Optimizer, *_BY_NAME.values()):  # as they are printed
    _class.__module__ = f"keras.src.optimizers.{_class.__name__.lower()}"
get = _make_get("optimizer", lambda name: _BY_NAME.get(name.lower()), Optimizer)


def serialize(optimizer):
    """The class and the parameters of an optimizer: what `deserialize` takes."""
    return _config_of(optimizer)


deserialize = get


def __getattr__(name):
    from ....missing import missing_attribute
    raise missing_attribute(__name__, name, dir())
