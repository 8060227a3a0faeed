"""`%load_ext kobai`: the same import names in a notebook as under `kobai run`."""

from __future__ import annotations

from kobai.compat import hook


def load_ipython_extension(shell) -> None:
    """Serve `import torch` and the others from kobai; IPython calls this for `%load_ext kobai`.

    Raises: RuntimeError when PyTorch or TensorFlow itself is already imported.
    """
    hook.install()
    if hasattr(shell, "set_custom_exc"):
        shell.set_custom_exc((AttributeError, LookupError, NameError, OSError, TypeError, ValueError), _shown)


def _shown(shell, kind, error, trace, tb_offset=None) -> None:
    """A cell's error as IPython shows it, with what kobai knows about it below."""
    from kobai.diagnose.hints import explain  # noqa: PLC0415  (only an error pays for it)
    explain(error)
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def unload_ipython_extension(shell) -> None:
    """Give the names back; IPython calls this for `%unload_ext kobai`. What was imported stays kobai's."""
    hook.uninstall()
    if hasattr(shell, "set_custom_exc"):
        shell.set_custom_exc((), None)
