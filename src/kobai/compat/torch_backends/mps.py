"""`torch.backends.mps`: Apple's graphics processors, which kobai does not use."""


def is_available() -> bool:
    """Whether an Apple graphics processor can be used."""
    return False


def is_built() -> bool:
    """Whether support for Apple's graphics processors is built in."""
    return False
