"""`torch.backends.cudnn`: programs set `deterministic` and `benchmark` here to get reproducible results."""

enabled = True
deterministic = False
benchmark = False
allow_tf32 = True


def is_available() -> bool:
    """Whether cuDNN can be used."""
    return False


def version() -> int | None:
    """The version of cuDNN, None without it."""
    return None
