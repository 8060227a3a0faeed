"""`torch._dynamo.config`: programs set limits and switches here; all are kept, none has an effect."""
import sys

from kobai.compat.torch_options import options

sys.modules[__name__] = options(
    __name__, __doc__, cache_size_limit=8, recompile_limit=8, accumulated_cache_size_limit=256, accumulated_recompile_limit=256,
    suppress_errors=False, verbose=False, assume_static_by_default=True, automatic_dynamic_shapes=True, specialize_int=False,
    specialize_float=False, dynamic_shapes=True, capture_scalar_outputs=False, capture_dynamic_output_shape_ops=False,
    guard_nn_modules=True, inline_inbuilt_nn_modules=True, optimize_ddp=True, compiled_autograd=False, log_level=None,
    allow_unspec_int_on_nn_module=False, force_parameter_static_shapes=True, error_on_recompile=False, disable=False,
    cache_size_limit_hit=False, numpy_default_float="float64", trace_numpy=True, print_graph_breaks=False)
