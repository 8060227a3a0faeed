"""Learning-rate schedules: call `scheduler.step()` after each epoch (or batch)."""
from .base import LRScheduler
from .combine import ChainedScheduler, SequentialLR
from .cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from .cycles import CyclicLR, OneCycleLR
from .factors import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from .plateau import ReduceLROnPlateau


class _LRScheduler(LRScheduler):
    """Its name before PyTorch 2.0, from which programs still derive classes; schedulers are not instances of it."""
