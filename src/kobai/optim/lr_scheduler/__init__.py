"""Learning-rate schedules: call `scheduler.step()` after each epoch (or batch)."""
from .base import LRScheduler as LRScheduler
from .combine import ChainedScheduler as ChainedScheduler, SequentialLR as SequentialLR
from .cosine import CosineAnnealingLR as CosineAnnealingLR, CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from .cycles import CyclicLR as CyclicLR, OneCycleLR as OneCycleLR
from .factors import (ConstantLR as ConstantLR, ExponentialLR as ExponentialLR, LambdaLR as LambdaLR,
                      LinearLR as LinearLR, MultiplicativeLR as MultiplicativeLR, MultiStepLR as MultiStepLR,
                      PolynomialLR as PolynomialLR, StepLR as StepLR)
from .plateau import ReduceLROnPlateau as ReduceLROnPlateau

_LRScheduler = LRScheduler  # its name before PyTorch 2.0
