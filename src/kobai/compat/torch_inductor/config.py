"""`torch._inductor.config`: programs set options here; all are kept, none has an effect."""
import sys

from kobai.compat.torch_options import options

sys.modules[__name__] = options(
    __name__, __doc__, debug=False, fallback_random=False, max_autotune=False, max_autotune_gemm=False,
    max_autotune_pointwise=False, coordinate_descent_tuning=False, epilogue_fusion=True,
    freezing=False, fx_graph_cache=True, force_disable_caches=False,
    compile_threads=1, size_asserts=True, shape_padding=True, conv_1x1_as_mm=False, permute_fusion=False,
    cpp_wrapper=False,
    triton=options("triton", None, cudagraphs=False, cudagraph_trees=True, unique_kernel_names=True),
    cpp=options("cpp", None, threads=-1, simdlen=None, min_chunk_size=4096, enable_kernel_profile=False),
    trace=options("trace", None, enabled=False, graph_diagram=False))
