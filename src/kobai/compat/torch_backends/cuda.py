"""`torch.backends.cuda`: settings of products of matrices on NVIDIA's graphics processors."""


class matmul:
    """Settings that are kept and without effect: kobai never shortens float32 in a product of matrices."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


def is_built() -> bool:
    """Whether support for CUDA is built in."""
    return False
