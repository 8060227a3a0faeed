"""Functions of functions: grad, vjp, jvp, vmap, jacobians, hessians (torch.func's names).

Reverse-mode transforms use the ordinary graph: their inputs are leaves of their own, and what leads
nowhere else is cut off from the results. vmap and jvp put lifted values into tensors, each transform
with a level of its own; so they nest in any order.
"""
from .batching import debug_unwrap, vmap
from .forward import jvp, linearize
from .jacobians import hessian, jacfwd, jacrev
from .modules import functional_call, functionalize, replace_all_batch_norm_modules_, stack_module_state
from .rearrange import rearrange
from .reverse import grad, grad_and_value, vjp

__all__ = ["debug_unwrap", "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev",
           "jvp", "linearize", "rearrange", "replace_all_batch_norm_modules_", "stack_module_state", "vjp", "vmap"]
