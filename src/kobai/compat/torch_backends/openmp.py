"""`torch.backends.openmp`: OpenMP, which kobai does not use."""


def is_available() -> bool:
    """Whether OpenMP can be used."""
    return False
