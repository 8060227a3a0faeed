"""Optimisers and learning-rate schedules, under PyTorch's names."""
import importlib as _importlib

from . import lr_scheduler
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax
from .asgd import ASGD
from .lbfgs import LBFGS
from .muon import Muon
from .nadam import NAdam
from .optimizer import Optimizer
from .radam import RAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .sgd import SGD
from .sparse_adam import SparseAdam


def __getattr__(name):
    if name == "swa_utils":  # needs kobai.nn, which optimisers do not
        return _importlib.import_module(".swa_utils", __name__)
    from ..compat.missing import missing_attribute  # noqa: PLC0415  (only when a name is missing)
    raise missing_attribute(__name__, name, globals())
