"""Devices, layouts and sizes: where a tensor lives, how it keeps its elements, and how many.

This version computes on the CPU.
"""
from __future__ import annotations


class device:
    """A device, `device("cpu")` or `device("cpu", 0)`.

    >>> import kobai
    >>> kobai.device("cpu")
    device(type='cpu')
    """

    __slots__ = ("type", "index")
    _known = ("cpu", "cuda", "mps", "xpu", "meta")

    def __init__(self, type, index=None):
        if isinstance(type, device):
            type, index = type.type, type.index
        if not isinstance(type, str):
            type = f"cuda:{type}"
        kind, colon, number = type.partition(":")
        if kind not in self._known or colon and not number.isdecimal():
            from .diagnose.errors import error  # noqa: PLC0415  (only for a mistake: it needs what stands above)
            wrong = colon and not number.isdecimal() or not kind.replace("_", "").isalpha()
            raise error("device-string" if wrong else "device-name", got=type if wrong else kind)
        self.type = kind
        self.index = int(number) if number else index

    def __repr__(self):
        return f"device(type={self.type!r}" + (f", index={self.index})" if self.index is not None else ")")

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other):
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self):
        return hash((self.type, self.index))

    def __reduce__(self):
        return device, (self.type, self.index)

    def __enter__(self):
        from .autograd.mode import modes, runs  # noqa: PLC0415  (devices stand below it)
        runs.devices = True
        modes.outer_devices = (*modes.outer_devices, modes.device)
        modes.device = None if check(self, True).type == "cpu" else self
        return self

    def __exit__(self, *exc):
        from .autograd.mode import modes  # noqa: PLC0415
        *outer, modes.device = modes.outer_devices
        modes.outer_devices = tuple(outer)


cpu = device("cpu")


def no_cuda():
    """The exception for whatever needs a GPU."""
    from .diagnose import error  # noqa: PLC0415  (devices stand below it)
    return error("no-cuda")


def check(d, meta=False):
    """The device `d` if kobai computes on it, or if it is "meta" and that will do; PyTorch's errors otherwise."""
    if d is None or d is cpu:
        return cpu
    d = device(d)
    if meta and d.type == "meta":
        return d
    if d.type == "cuda":
        raise no_cuda()
    if d.type != "cpu":
        from .diagnose import error  # noqa: PLC0415  (devices stand below it)
        raise error("machine", RuntimeError(f"kobai has no {d.type} device; use device='cpu'"), device=d.type,
                    why="kobai computes on the processor (cpu), and {device} is another device.",
                    fix="write device='cpu', or leave the device out.")
    return cpu


class Layout:
    """How a tensor keeps its elements: torch.strided, torch.sparse_coo, ... One object a name."""

    _known: dict[str, Layout] = {}

    def __new__(cls, name):
        self = cls._known.setdefault(name, object.__new__(cls))
        self.name = name
        return self

    def __repr__(self):
        return "torch." + self.name

    def __reduce__(self):
        return Layout, (self.name,)


strided = Layout("strided")


class Size(tuple):
    """The shape of a tensor: a tuple of ints that prints as PyTorch's.

    >>> import kobai
    >>> kobai.zeros(2, 3).shape
    torch.Size([2, 3])
    """

    __slots__ = ()

    def __repr__(self):
        return f"torch.Size([{', '.join(map(str, self))}])"

    def numel(self):
        """The number of elements."""
        n = 1
        for s in self:
            n *= s
        return n

    def __getitem__(self, i):
        got = tuple.__getitem__(self, i)
        return Size(got) if isinstance(i, slice) else got

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other):
        return Size(tuple.__add__(other, self))

    def __mul__(self, n):
        return Size(tuple.__mul__(self, n))

    __rmul__ = __mul__

    def __reduce__(self):
        return _size, (tuple(self),)


def _size(numbers):
    return Size(numbers)


Size.__module__ = "torch"  # as its pickles and type(x.shape) say
