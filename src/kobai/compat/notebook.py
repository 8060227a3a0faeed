"""`%load_ext kobai`: the same import names in a notebook as under `kobai run`."""

from __future__ import annotations

from kobai.compat import hook


def load_ipython_extension(shell) -> None:
    """Serve `import torch` and the others from kobai; IPython calls this for `%load_ext kobai`.

    Raises: RuntimeError when PyTorch or TensorFlow itself is already imported.
    """
    hook.install()


def unload_ipython_extension(shell) -> None:
    """Give the names back; IPython calls this for `%unload_ext kobai`. What was imported stays kobai's."""
    hook.uninstall()
