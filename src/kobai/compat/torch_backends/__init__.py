"""`torch.backends` under the hook: what programs ask and set about backends that kobai does not have.

The settings are kept and otherwise without effect: kobai's results never depend on them.
"""

from kobai.compat.torch_backends import cuda, cudnn, mkl, mkldnn, mps, openmp, opt_einsum

__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp", "opt_einsum"]
