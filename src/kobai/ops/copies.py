"""Views copied, torch.view_copy and the rest, for programs that want no shared memory; and torch.detach."""
from __future__ import annotations

from ..op import m
from ..public import export, names
from . import diagonal, parts, shape, split, strided  # noqa: F401  (they define the views)


def _copying(name):
    """`name`_copy: the view, copied (each of them, where there are several)."""
    view = names["torch"].get(name) or names["Tensor"][name]

    def copy(input, *args, out=None, **kwargs):
        got = view(input, *args, **kwargs)
        copies = tuple([m.clone(v) for v in got]) if isinstance(got, tuple) else m.clone(got)
        return copies if out is None else out.copy_(copies)
    copy.__name__ = copy.__qualname__ = name + "_copy"
    copy.__doc__ = f"A copy of what `{name}` gives."
    export("torch", copy.__name__, copy)


for _name in ("as_strided", "diagonal", "expand", "permute", "select", "split", "split_with_sizes", "squeeze", "t",
              "transpose", "unbind", "unfold", "unsqueeze", "view", "view_as_complex", "view_as_real"):
    _copying(_name)


def alias_copy(input, *, out=None):
    """A copy."""
    return m.clone(input) if out is None else out.copy_(input)


def slice_copy(input, dim=0, start=None, end=None, step=1):
    """A copy of a slice."""
    at = (slice(None),) * (dim % max(input.ndim, 1)) + (slice(start, end, step),)
    return m.clone(m.getitem(input, at))


def detach_copy(input, *, out=None):
    """A copy without history."""
    return m.clone(input.detach()) if out is None else out.copy_(input.detach())


def detach(input):
    """The same memory without history."""
    return input.detach()


def detach_(input):
    """Forget the history of the tensor itself."""
    return input.detach_()


for _fn in (alias_copy, slice_copy, detach_copy, detach, detach_):
    export("torch", _fn.__name__, _fn)
