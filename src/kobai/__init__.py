"""kobai: automatic differentiation and deep learning that shows what it does, under PyTorch's names."""
from . import ops as ops
from .device import device as device
from .tensor import Size as Size, Tensor as Tensor
from .autograd.mode import (enable_grad as enable_grad, inference_mode as inference_mode,
                            is_grad_enabled as is_grad_enabled, no_grad as no_grad,
                            set_grad_enabled as set_grad_enabled)
from . import autograd as autograd
from .autograd import engine as _engine
from .compat.notebook import (load_ipython_extension as load_ipython_extension,
                              unload_ipython_extension as unload_ipython_extension)
from .public import names as _names

__version__ = "0.1.0"

globals().update(_names["torch"])
