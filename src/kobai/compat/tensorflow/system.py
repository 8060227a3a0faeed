"""Devices, scopes, versions and switches: names that programs call around the mathematics."""
from __future__ import annotations

import contextlib
import time
from collections import namedtuple

import numpy as np

from ...tensor import wrap
from . import tracing
from .names import export
from .notices import log
from .tensors import DEVICE, box
from .variables import scopes

PhysicalDevice = namedtuple("PhysicalDevice", "name device_type")
LogicalDevice = namedtuple("LogicalDevice", "name device_type")


@export("executing_eagerly")
def executing_eagerly():
    """Whether operations run at once; inside a `tf.function` TensorFlow would build a graph."""
    return not tracing.state.depth


@export("inside_function")
def inside_function():
    """Whether a `tf.function` is running."""
    return tracing.state.depth > 0


@export("is_symbolic_tensor")
def is_symbolic_tensor(tensor):
    """False: every tensor has a value."""
    return False


@export("device")
@contextlib.contextmanager
def device(device_name):
    """Everything runs on the CPU, whatever device is named."""
    yield DEVICE


@export("name_scope")
class name_scope:
    """What names of variables made in the block begin with."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        scopes.append(self.name.rstrip("/"))
        return "/".join(scopes) + "/"

    def __exit__(self, *exc):
        scopes.pop()


@export("init_scope")
@contextlib.contextmanager
def init_scope():
    """A block of its own in graphs; here a block like any other."""
    yield


@export("control_dependencies")
@contextlib.contextmanager
def control_dependencies(control_inputs):
    """Operations run in the order in which they are written anyway."""
    yield


@export("get_current_name_scope")
def get_current_name_scope():
    """The names of the open name scopes."""
    return "/".join(scopes)


@export("timestamp")
def timestamp(name=None):
    """The seconds since 1970, as a float64 tensor."""
    return box(wrap(np.float64(time.time())))


@export("get_logger")
def get_logger():
    """The logger of warnings."""
    return log


# ---- tf.config -------------------------------------------------------------------------------
@export("config.list_physical_devices", "config.experimental.list_physical_devices", "config.get_visible_devices")
def list_physical_devices(device_type=None):
    """The devices of a type: one CPU."""
    return [PhysicalDevice("/physical_device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


@export("config.list_logical_devices", "config.experimental.list_logical_devices")
def list_logical_devices(device_type=None):
    """The devices of a type: one CPU."""
    return [LogicalDevice("/device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


@export("config.run_functions_eagerly", "config.experimental_run_functions_eagerly")
def run_functions_eagerly(run_eagerly):
    """Whether `tf.function` leaves functions as they are."""
    tracing.eagerly[0] = bool(run_eagerly)


@export("config.set_visible_devices",
        "config.set_soft_device_placement", "config.experimental.set_memory_growth",
        "config.experimental.enable_op_determinism", "config.optimizer.set_jit", "config.set_logical_device_configuration",
        "config.threading.set_intra_op_parallelism_threads", "config.threading.set_inter_op_parallelism_threads")
def accepted(*args, **kwargs):
    """There is nothing to switch here."""


@export("config.functions_run_eagerly")
def functions_run_eagerly():
    """Whether `run_functions_eagerly(True)` was called."""
    return tracing.eagerly[0]


# ---- tf.test, tf.autograph -------------------------------------------------------------------
@export("test.is_gpu_available", "test.is_built_with_cuda", "test.is_built_with_gpu_support", "test.is_built_with_rocm",
        "test.is_built_with_xla")
def is_gpu_available(*args, **kwargs):
    """False: tensors live on the CPU."""
    return False


@export("test.gpu_device_name")
def gpu_device_name():
    """No name: there is no GPU."""
    return ""


@export("autograph.experimental.do_not_convert")
def do_not_convert(func=None):
    """The function as it is: nothing is converted."""
    return func if func is not None else (lambda f: f)


@export("autograph.set_verbosity")
def set_verbosity(level, alsologtostdout=False):
    """Nothing is converted, so there is nothing to report."""
