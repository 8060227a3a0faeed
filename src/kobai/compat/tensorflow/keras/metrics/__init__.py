"""`tf.keras.metrics`."""
from __future__ import annotations

from ..losses import (
    KLD as KLD,
    MAE as MAE,
    MAPE as MAPE,
    MSE as MSE,
    MSLE as MSLE,
    binary_crossentropy as binary_crossentropy,
    binary_focal_crossentropy as binary_focal_crossentropy,
    categorical_crossentropy as categorical_crossentropy,
    categorical_hinge as categorical_hinge,
    hinge as hinge,
    huber as huber,
    kld as kld,
    log_cosh as logcosh,
    mae as mae,
    mape as mape,
    mean_absolute_error as mean_absolute_error,
    mean_squared_error as mean_squared_error,
    mse as mse,
    msle as msle,
    poisson as poisson,
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
    squared_hinge as squared_hinge,
)
from ..naming import snake_case
from ..registry import make_get as _make_get
from . import accuracy as _accuracy, base as _base, confusion as _confusion, means as _means

for _module in (_accuracy, _base, _confusion, _means):
    globals().update({n: v for n, v in vars(_module).items() if not n.startswith("_") and getattr(
        v, "__module__", "").startswith(__name__) and n not in ("array", "tensor", "by_sample", "wrapper")})

_NAMES = {n: v for n, v in globals().items() if callable(v) and not n.startswith("_")}
_NAMES |= {"acc": _accuracy.Accuracy, "accuracy": _accuracy.Accuracy, "bce": binary_crossentropy}
_NAMES |= {snake_case(n): v for n, v in _NAMES.items() if isinstance(v, type)} | _NAMES
get = _make_get("metric", _NAMES.get, _base.Metric)


def __getattr__(name):
    from ....missing import missing_attribute
    raise missing_attribute(__name__, name, dir())
