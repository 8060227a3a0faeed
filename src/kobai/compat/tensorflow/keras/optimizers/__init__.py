"""`tf.keras.optimizers`."""
from __future__ import annotations

from ..registry import make_get as _make_get
from . import legacy as legacy
from . import schedules as schedules
from .base import Optimizer as Optimizer
from .rules import (
    SGD as SGD,
)
from .rules import (
    Adadelta as Adadelta,
)
from .rules import (
    Adagrad as Adagrad,
)
from .rules import (
    Adam as Adam,
)
from .rules import (
    Adamax as Adamax,
)
from .rules import (
    AdamW as AdamW,
)
from .rules import (
    Ftrl as Ftrl,
)
from .rules import (
    Lion as Lion,
)
from .rules import (
    Nadam as Nadam,
)
from .rules import (
    RMSprop as RMSprop,
)

_BY_NAME = {c.__name__.lower(): c for c in (SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Ftrl, Lion, Nadam, RMSprop)}
get = _make_get("optimizer", lambda name: _BY_NAME.get(name.lower()), Optimizer)


def __getattr__(name):
    from ....missing import missing_attribute
    raise missing_attribute(__name__, name, dir())
