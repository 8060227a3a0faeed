"""Tensors that belong to a module: parameters, buffers, and those whose shape is not known yet."""
from __future__ import annotations

from typing import Any

from .. import empty
from ..devices import cpu
from ..diagnose import error
from ..dtypes import bfloat16, float16, float32, float64, get_default_dtype
from ..tensor import Tensor, wrap


def _plain(t: Tensor) -> Tensor:
    """The same memory as an ordinary tensor."""
    return wrap(t._array())


def _without_numbers(data: Tensor, cls: type) -> Tensor:
    """A tensor on the device "meta" as a parameter or buffer."""
    from ..meta import of_class  # noqa: PLC0415  (few programs use this device)
    return of_class(data, cls)


class Parameter(Tensor):
    """A tensor that a module registers when it is assigned to an attribute, and that is trained.

    It shares the memory of `data` and is a leaf of the graph, whatever `data` was computed from.

    >>> kobai.nn.Parameter(kobai.tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True):
        if data is None:
            data = empty(0)
        if not isinstance(data, Tensor):
            raise error("parameter-data", kind=type(data).__name__)
        if data.is_meta:
            param = _without_numbers(data, cls)
        else:
            param = wrap(data._array(), cls)
            param._ver = data._ver
        return param.requires_grad_() if requires_grad else param

    data = property(_plain, Tensor.data.fset, doc="The values as an ordinary tensor on the same memory.")

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        from ..subclasses import disabled  # noqa: PLC0415  (rarely asked)
        return disabled(cls, func, types, args, kwargs)

    def __repr__(self):
        text = super().__repr__()
        if type(self).__name__ != "Parameter":  # a program's own class, shown as PyTorch does
            text = f"Parameter({text})"
        return "Parameter containing:\n" + text

    def __reduce_ex__(self, protocol):      # not by class: its __module__ is PyTorch's
        _, (_, array, requires_grad), extra = super().__reduce_ex__(protocol)
        return _parameter, (array, requires_grad), extra


class Buffer(Tensor):
    """A tensor that a module registers as a buffer when it is assigned to an attribute.

    >>> module = kobai.nn.Module()
    >>> module.mean = kobai.nn.Buffer(kobai.zeros(2))
    >>> [name for name, _ in module.named_buffers()]
    ['mean']
    """

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True):
        if data is None:
            data = empty(0)
        buffer = _without_numbers(data, cls) if data.is_meta else wrap(data._array(), cls)
        buffer._ver, buffer._rg = data._ver, data.requires_grad
        buffer.persistent = persistent
        return buffer

    data = Parameter.data

    def __reduce_ex__(self, protocol):
        _, (_, array, _), extra = super().__reduce_ex__(protocol)
        return _buffer, (array,), extra


class UninitializedTensorMixin:
    """A tensor that knows its dtype and device but not yet its shape; any use of its values is an error."""

    cls_to_become: type

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None, **more: Any):
        t = object.__new__(cls)
        t._ver, t._base, t._grad, t._node, t._rg = [0, None], None, None, None, requires_grad
        t._pending = dtype or get_default_dtype(), device or cpu
        t.__dict__.update(more)
        return t

    def materialize(self, shape, device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary parameter or buffer of this shape, with arbitrary values."""
        own_dtype, own_device = self._pending
        data = empty(tuple(shape), dtype=dtype or own_dtype, device=device or own_device)
        del self._pending
        self.__class__ = self.cls_to_become
        self._data = data._array()

    @property
    def _data(self):
        raise error("call-order",
                    ValueError("Attempted to use an uninitialized parameter. This error happens when you are using "
                               "a `LazyModule` or explicitly manipulating "
                               f"`torch.nn.parameter.{type(self).__name__}` objects. When using LazyModules Call "
                               "`forward` with a dummy batch to initialize the parameters before calling torch "
                               "functions"),
                    why="a lazy layer has no numbers yet: it learns its sizes from the first input.",
                    fix="call the model once with an example batch, before the optimizer is made and before anything "
                        "reads its parameters.")

    @property
    def shape(self):
        raise error("call-order",
                    RuntimeError("Can't access the shape of an uninitialized parameter or buffer. This error usually "
                                 "happens in `load_state_dict` when trying to load an uninitialized parameter into "
                                 "an initialized one. Call `forward` to initialize the parameters before accessing "
                                 "their attributes."),
                    why="a lazy layer has no shapes yet: it learns its sizes from the first input.",
                    fix="call the model once with an example batch, before the optimizer is made and before anything "
                        "reads its parameters.")

    dtype = property(lambda self: self._pending[0])
    device = property(lambda self: self._pending[1])

    @property
    def data(self):
        return self

    @data.setter
    def data(self, other):
        self._pending = other._pending

    def _with(self, dtype=None, device=None):
        return type(self)(self._rg, device or self.device, dtype or self.dtype, **self._extra())

    def _extra(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_pending"}

    def to(self, *args: Any, **kwargs: Any):
        """As `Tensor.to`, for the values to come."""
        t = empty(0, dtype=self.dtype, device=self.device).to(*args, **kwargs)
        return self._with(t.dtype, t.device)

    def float(self):
        """float32, for the values to come."""
        return self._with(float32)

    def double(self):
        """float64, for the values to come."""
        return self._with(float64)

    def half(self):
        """float16, for the values to come."""
        return self._with(float16)

    def bfloat16(self):
        """bfloat16, for the values to come."""
        return self._with(bfloat16)

    def cpu(self):
        """The CPU, for the values to come."""
        return self._with(device=cpu)

    def cuda(self, *args: Any, **kwargs: Any):
        """A GPU, for the values to come."""
        return self._with(device=empty(0).cuda(*args, **kwargs).device)

    def type(self, *args: Any):
        """The type's name, or with an argument the same with another type."""
        t = empty(0, dtype=self.dtype).type(*args)
        return self._with(t.dtype) if args else t

    def is_floating_point(self):
        """Whether the values to come are of a floating-point dtype."""
        return self.dtype.is_floating_point

    def is_complex(self):
        """Whether the values to come are of a complex dtype."""
        return self.dtype.is_complex

    def requires_grad_(self, requires_grad: bool = True):
        """Whether gradients are wanted, once there are values."""
        self._rg = bool(requires_grad)
        return self

    def share_memory_(self):
        """Nothing to share yet."""
        return self

    def detach(self):
        """Itself: without values there is no history."""
        return self

    def __deepcopy__(self, memo: dict):
        memo[id(self)] = copied = self._with()
        return copied

    def __reduce_ex__(self, protocol):
        return _rebuild, (type(self).__name__, self._rg, self.dtype, self._extra())

    def __repr__(self):
        return f"<{type(self).__name__}>"


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape a lazy layer will find out from its first input."""

    cls_to_become = Parameter


class UninitializedBuffer(UninitializedTensorMixin, Buffer):
    """A buffer whose shape a lazy layer will find out from its first input."""

    cls_to_become = Tensor

    def __new__(cls, requires_grad: bool = False, device: Any = None, dtype: Any = None,
                persistent: bool = True):
        return super().__new__(cls, requires_grad, device, dtype, persistent=persistent)


def is_lazy(param: Any) -> bool:
    """Whether this is a parameter or buffer without a shape."""
    return isinstance(param, UninitializedTensorMixin)


def _parameter(array, requires_grad):
    return Parameter(wrap(array), requires_grad)


def _buffer(array):
    return Buffer(wrap(array))


def _rebuild(kind, requires_grad, dtype, extra):
    cls = UninitializedParameter if kind == "UninitializedParameter" else UninitializedBuffer
    return cls(requires_grad, None, dtype, **extra)


Parameter.__module__ = Buffer.__module__ = "torch.nn.parameter"     # as in articles' printouts
UninitializedParameter.__module__ = UninitializedBuffer.__module__ = "torch.nn.parameter"
