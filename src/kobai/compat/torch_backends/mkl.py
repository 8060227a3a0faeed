"""`torch.backends.mkl`: MKL, which kobai does not use."""


def is_available() -> bool:
    """Whether MKL can be used."""
    return False
