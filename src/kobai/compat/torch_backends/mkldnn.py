"""`torch.backends.mkldnn`: oneDNN, which kobai does not use."""

enabled = True


def is_available() -> bool:
    """Whether oneDNN can be used."""
    return False
