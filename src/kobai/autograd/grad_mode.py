"""The grad modes under PyTorch's module name."""
from .mode import (
    enable_grad as enable_grad,
)
from .mode import (
    inference_mode as inference_mode,
)
from .mode import (
    no_grad as no_grad,
)
from .mode import (
    set_grad_enabled as set_grad_enabled,
)
from .mode import (
    set_multithreading_enabled as set_multithreading_enabled,
)
