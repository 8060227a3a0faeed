"""`tf.keras.metrics`."""
from __future__ import annotations

from ..losses import (
    KLD as KLD,
)
from ..losses import (
    MAE as MAE,
)
from ..losses import (
    MAPE as MAPE,
)
from ..losses import (
    MSE as MSE,
)
from ..losses import (
    MSLE as MSLE,
)
from ..losses import (
    binary_crossentropy as binary_crossentropy,
)
from ..losses import (
    binary_focal_crossentropy as binary_focal_crossentropy,
)
from ..losses import (
    categorical_crossentropy as categorical_crossentropy,
)
from ..losses import (
    categorical_hinge as categorical_hinge,
)
from ..losses import (
    hinge as hinge,
)
from ..losses import (
    huber as huber,
)
from ..losses import (
    kld as kld,
)
from ..losses import (
    log_cosh as logcosh,
)
from ..losses import (
    mae as mae,
)
from ..losses import (
    mape as mape,
)
from ..losses import (
    mean_absolute_error as mean_absolute_error,
)
from ..losses import (
    mean_squared_error as mean_squared_error,
)
from ..losses import (
    mse as mse,
)
from ..losses import (
    msle as msle,
)
from ..losses import (
    poisson as poisson,
)
from ..losses import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from ..losses import (
    squared_hinge as squared_hinge,
)
from ..registry import make_get as _make_get
from . import accuracy as _accuracy
from . import base as _base
from . import confusion as _confusion
from . import means as _means

for _module in (_accuracy, _base, _confusion, _means):
    globals().update({n: v for n, v in vars(_module).items() if not n.startswith("_") and getattr(
        v, "__module__", "").startswith(__name__) and n not in ("array", "tensor", "by_sample", "wrapper")})

_NAMES = {n: v for n, v in globals().items() if callable(v) and not n.startswith("_")}
_NAMES |= {"acc": _accuracy.Accuracy, "accuracy": _accuracy.Accuracy, "bce": binary_crossentropy}
get = _make_get("metric", _NAMES.get, _base.Metric)


def __getattr__(name):
    from ....missing import missing_attribute
    raise missing_attribute(__name__, name, dir())
