"""Write docs/compatibility.md: PyTorch's public names that kobai does not have, each with the reason.

    python tools/list_compatibility.py            write the file (needs PyTorch, whose names it reads)
    python tools/list_compatibility.py --print    show what it would hold

A name that is missing and that no line of REASONS covers is an error: then add the name, or the reason.
"""

import collections
import importlib
import pathlib
import re
import sys
import textwrap
import types
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

SPACES = """torch torch.Tensor torch.accelerator torch.amp torch.autograd torch.autograd.forward_ad torch.autograd.functional
torch.autograd.graph torch.compiler torch.cpu torch.cuda torch.distributed torch.distributions
torch.distributions.constraints torch.distributions.transforms torch.fft torch.func torch.futures torch.hub torch.jit
torch.linalg torch.masked torch.multiprocessing torch.nested torch.nn torch.nn.attention torch.nn.functional torch.nn.init
torch.nn.parallel torch.nn.parameter torch.nn.utils torch.nn.utils.parametrizations torch.nn.utils.parametrize
torch.nn.utils.prune torch.nn.utils.rnn torch.optim torch.optim.lr_scheduler torch.optim.swa_utils torch.overrides
torch.profiler torch.random torch.serialization torch.signal.windows torch.sparse torch.special torch.storage torch.testing
torch.types torch.utils torch.utils.benchmark torch.utils.checkpoint torch.utils.data torch.utils.dlpack
torch.utils.hooks""".split()

# What is no part of the API: parameters of type hints, texts for documentation, names imported for PyTorch's own use.
NOISE = re.compile(r"""TYPE_CHECKING|Callable|Optional|Union|Any|TypeVar|BroadcastingList\d|DType|Tensor|.*_notes|GRID_SAMPLE_.*
|boolean_dispatch|handle_torch_function|has_torch_function.*|assert_int_or_pair|factory_kwargs|classproperty|VALUE|COUNT
|PRIVATE_OPS|USE_\w+|IntegerType|PyCapsule.*|LoadEndianness""".replace("\n", ""))

# The first line that fits counts: names (or space:names), and why they are missing.
REASONS = [
    (r"torch:(\w*Storage(Base)?|JITException|FatalError|Capsule|SUM|AVG|DisableTorchFunction\w*|Sym(Bool|Float|Int))",
     "typed storages, and what belongs to PyTorch's compiler"),
    (r"torch:(import_ir_\w+|parse_\w+|merge_type\w*|unify_type\w*|fork|wait|init_num_threads)|torch.jit:.*",
     "TorchScript: `script` and `trace` give the function itself, what needs a compiled archive is missing"),
    (r"torch:sym_\w+", "symbolic sizes of PyTorch's compiler"),
    (r".*:(q_\w+|qscheme|quantize_\w+|quantized_\w+|dequantize|fake_quantize_\w+|fused_moving_avg\w*|int_repr|empty_quantized"
     r"|choose_qparams\w*|fbgemm_\w+|q?u?int\d(x\d)?|qint\d+|quint\dx\d|quint8|bits\d+(x\d)?|per_(tensor|channel)_\w+|bit"
     r"|(is_)?quantized)", "quantised tensors and the dtypes that go with them"),
    (r"torch:(float8_\w+|float4_\w+|complex32|chalf)", "dtypes that PyTorch itself hardly computes with on the CPU"),
    (r".*:(cudnn_\w+|miopen_\w+|mkldnn_\w+|to_mkldnn|xpu|ipu|mtia|is_(ipu|mtia|maia|xla|vulkan|vulkan_available)"
     r"|Stream|Event|\w*(ipu|xla)_(dtype|enabled)|get_device_module|AcceleratorError|OutOfMemoryError|profiler_allow\w*)"
     r"|torch.(accelerator|cpu|cuda):.*", "other devices, their streams and their memory"),
    (r"torch:(batch_norm_(stats|elemt|gather\w*|update_stats|backward\w*)|native_norm|convolution|norm_except_dim|hash_tensor"
     r"|frobenius_norm|nuclear_norm|embedding_renorm_|conv_tbc|ctc_loss|poisson_nll_loss|binary_cross_entropy_with_logits"
     r"|get_device|slice_inverse|sparse_compressed_tensor|is_distributed|resize_as_sparse_)",
     "what PyTorch's Python code calls itself; the public spelling is in torch.nn.functional, torch.linalg or Tensor"),
    (r"torch:(sparse_bs[rc]_tensor|[dh]smm|hspmm|s?spmm|smm|sspaddmm|saddmm|\w+_indices_copy|indices_copy|values_copy)"
     r"|torch.Tensor:(s?smm|sspaddmm|smm|sparse_resize_\w*|resize_as_sparse_)|torch.sparse:.*",
     "sparse tensors beyond COO, CSR, CSC, BSR and BSC with the products that training needs"),
    (r".*:(eig|lstsq|solve|symeig|matrix_rank|volatile|reinforce|resize|resize_as|map2_|name|legacy_contiguous_format"
     r"|assert_allclose)", "removed or deprecated in PyTorch itself: calling them is an error there or soon will be"),
    (r"torch:(compiled_with_cxx11_abi|get_file_path|prepare_multiprocessing_environment|has_(lapack|mkl|openmp|spectral)"
     r"|from_file|thread_safe_generator|jagged)|torch.utils:.*|torch.random:.*|torch.Tensor:(storage_type|module_load"
     r"|hash_tensor|is_distributed|slice_inverse)|torch.autograd:.*|torch.autograd.graph:.*|torch.optim:.*"
     r"|torch.nn.attention:.*", "how PyTorch is built and works inside"),
    (r"torch.Tensor:to_padded_tensor|torch.nested:.*", "nested (ragged) tensors: pad, and mask what is padding"),
    (r"torch.masked:.*", "masked tensors as a class; the functions of torch.masked are there"),
    (r"torch.nn.functional:(conv_tbc|\w*grouped_mm|scaled_mm|ScalingType|SwizzleType)", "products for GPUs only"),
    (r"torch.distributed:.*|torch.nn.parallel:.*", "training in several processes: a group has one"),
    (r"torch.utils.data:.*", "DataPipes, which PyTorch has given up"),
    (r"torch.overrides:.*", "classes of other libraries that answer for torch's functions"),
    (r"torch.serialization:.*", "the inner steps of torch.load and torch.save"),
    (r"torch.utils.checkpoint:.*", "recomputing chosen operations only; whole functions are recomputed"),
    (r"torch.utils.dlpack:.*|torch.utils.hooks:.*|torch.testing:.*|torch.compiler:.*|torch.futures:.*",
     "tools around PyTorch's own compiler and tests"),
    (r"torch.profiler:.*|torch.utils.benchmark:.*", "measuring on other devices, and the inner parts of the tools"),
    (r"torch.hub:.*", "downloading of models"),
    (r"torch.multiprocessing:.*", "Python's multiprocessing has it"),
]

HEAD = """# What kobai has of PyTorch {version}'s public names

Written by `python tools/list_compatibility.py`, which asks both packages. How what is there differs from PyTorch is in
[differences.md](differences.md); what each op does on which engine in [ops.md](ops.md). Names of modules, and in `torch`
the classes of PyTorch's compiled part (TorchScript's types and the like), do not count.

| namespace | names | missing |
|---|---|---|
"""


def main():
    text = listing()
    if "--print" in sys.argv:
        sys.stdout.write(text)
    else:
        (ROOT / "docs" / "compatibility.md").write_text(text, encoding="utf-8")


def listing():
    """The text of docs/compatibility.md for the packages as they are."""
    import torch  # noqa: PLC0415  (only this function needs it)

    warnings.simplefilter("ignore")
    rows, missing = [], collections.defaultdict(lambda: collections.defaultdict(list))
    for space in SPACES:
        names = public_names(space)
        absent = [n for n in names if not has(space, n)]
        rows.append(f"| {space} | {len(names)} | {len(absent) or ''} |\n")
        for name in absent:
            missing[reason(space, name)][space].append(name)
    parts = [HEAD.format(version=".".join(torch.__version__.split(".")[:2])), *rows, "\n## What is missing, and why\n"]
    for _, why in REASONS:
        spaces = missing.pop(why, None)
        if spaces:
            parts.append(f"\n### {why[0].upper()}{why[1:]}\n\n")
            parts += [wrapped(f"- {space}: {' '.join(f'`{n}`' for n in sorted(names))}") for space, names in spaces.items()]
    return "".join(parts)


def wrapped(line):
    return "\n".join(textwrap.wrap(line, 118, subsequent_indent="  ", break_on_hyphens=False)) + "\n"


def public_names(space):
    """The names of a namespace of PyTorch that a program could mean."""
    module = found(space)
    names = set(getattr(module, "__all__", None) or dir(module))
    if space in ("torch", "torch.Tensor", "torch.nn.functional"):  # their __all__ is not all
        names |= set(dir(module))
    return sorted(n for n in names if not n.startswith("_") and not NOISE.fullmatch(n)
                  and not isinstance(getattr(module, n, None), types.ModuleType)
                  and not (space == "torch" and compiled_type(getattr(module, n, None))))


def compiled_type(value):
    """Whether a value is a class of PyTorch's compiled part that is no tensor's, dtype's or device's."""
    return type(value).__name__ == "pybind11_type"


def found(space):
    if space == "torch.Tensor":
        return importlib.import_module("torch").Tensor
    return importlib.import_module(space)


def has(space, name):
    """Whether kobai has it."""
    try:
        holder = importlib.import_module("kobai" + space.removeprefix("torch")) if space != "torch.Tensor" else \
            importlib.import_module("kobai").Tensor
    except ModuleNotFoundError:
        return False
    return hasattr(holder, name)


def reason(space, name):
    """Why a name is missing."""
    for pattern, why in REASONS:
        if re.fullmatch(pattern, f"{space}:{name}"):
            return why
    sys.exit(f"{space}.{name} is missing, and nothing in REASONS says why")


if __name__ == "__main__":
    main()
