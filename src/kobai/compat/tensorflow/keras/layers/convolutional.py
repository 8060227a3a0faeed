"""Convolutions as layers."""
from __future__ import annotations

from .....diagnose import error
from .....op import m
from ...convolution import convolve, convolve_transposed, depthwise, numbers
from ...tensors import box
from ...values import value_of
from .. import initializers
from ..layer import Layer
from ..spec import InputSpec
from .core import with_kernel


def output_length(n, kernel, padding, stride, dilation=1):
    """The size of one dimension after a convolution.

    >>> output_length(28, 3, "valid", 2), output_length(28, 3, "same", 2)
    (13, 14)
    """
    if n is None:
        return None
    span = (kernel - 1) * dilation + 1
    return -(-(n - span + 1) // stride) if padding == "valid" else -(-n // stride)


class BaseConv(Layer):
    """What convolutions over n dimensions have in common; channels last."""

    n = 2

    def __init__(self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=1,
                 activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, **kwargs):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if data_format == "channels_first":
            raise error("not-in-kobai",
                        ValueError("The Conv layers of kobai take images with channels last "
                                   "(data_format=\"channels_last\"), as TensorFlow does on a CPU."),
                        what="data_format='channels_first'",
                        instead="move the channels to the end: tf.transpose(x, [0, 2, 3, 1]).")
        if padding not in ("valid", "same", "causal"):
            allowed = "'valid', 'same', 'causal'" if self.n == 1 else "'valid', 'same'"
            raise error("argument-choice",
                        ValueError(f"The `padding` argument must be a list/tuple or one of {{{allowed}}}. Received: {padding}"),
                        what="padding", value=padding,
                        choices=["valid", "same", "causal"] if self.n == 1 else ["valid", "same"])
        self.filters, self.groups, self.padding, self.use_bias = filters, groups, padding.lower(), use_bias
        self.kernel_size, self.strides = tuple(numbers(kernel_size, self.n)), tuple(numbers(strides, self.n))
        self.dilation_rate = tuple(numbers(dilation_rate, self.n))
        with_kernel(self, activation, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
                    kernel_constraint, bias_constraint)
        self.input_spec = InputSpec(min_ndim=self.n + 2)

    def _kernel_shape(self, channels):
        if channels % self.groups:
            raise error("size-divisible",
                        ValueError("The number of input channels must be evenly divisible by the number of groups. Received "
                                   f"groups={self.groups}, but the input has {channels} channels."),
                        what="the number of input channels", value=channels, by=self.groups)
        return (*self.kernel_size, channels // self.groups, self.filters)

    def build(self, input_shape):
        channels = input_shape[-1]
        self._make_kernel(channels)
        self.bias = self.add_weight((self._outputs(channels),), self.bias_initializer, name="bias",
                                    regularizer=self.bias_regularizer,
                                    constraint=self.bias_constraint) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=self.n + 2, axes={-1: channels})
        if all(s is not None for s in input_shape[1:]):
            self._check_sizes(input_shape)
        self.built = True

    def _make_kernel(self, channels):
        self.kernel = self.add_weight(self._kernel_shape(channels), self.kernel_initializer, name="kernel",
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)

    def _outputs(self, channels):
        return self.filters

    def _convolved(self, t):
        padding = self.padding
        if padding == "causal":
            t = m.pad(t, [0, 0, (self.kernel_size[0] - 1) * self.dilation_rate[0], 0])
            padding = "valid"
        return convolve(t, self.kernel._read(), self.strides, padding, self.dilation_rate, self.n, groups=self.groups)

    def call(self, inputs):
        y = self._convolved(value_of(inputs))
        if self.use_bias:
            y = y + self.bias._read()
        return self.activation(box(y))

    def compute_output_shape(self, input_shape):
        middle = [output_length(*a) for a in zip(input_shape[1:-1], self.kernel_size,
                                                 [self.padding] * self.n, self.strides, self.dilation_rate)]
        return (input_shape[0], *middle, self._outputs(input_shape[-1]))

    def _check_sizes(self, shape):
        if any(s is not None and s <= 0 for s in self.compute_output_shape(shape)[1:-1]):
            raise error("tensor-shape",
                        ValueError("Computed output size would be zero or negative. Received `inputs shape="
                                   f"{tuple(shape)}`, `kernel shape={tuple(self.kernel.shape)}`, `dilation_rate="
                                   f"[{' '.join(map(str, self.dilation_rate))}]`, `strides={self.strides}`, `padding="
                                   f"{self.padding}`."),
                        what="the input", shape=tuple(shape), want="a larger one",
                        why="the input of shape {shape} is smaller than the kernel reaches: nothing would be left of it.",
                        fix="use smaller kernels, fewer poolings, or padding=\"same\".")


class Conv1D(BaseConv):
    """Convolution over sequences: [batch, steps, channels]."""

    n = 1


class Conv2D(BaseConv):
    """Convolution over images: [batch, height, width, channels]."""

    n = 2


class Conv3D(BaseConv):
    """Convolution over volumes."""

    n = 3


class DepthwiseConv2D(BaseConv):
    """Each channel convolved with filters of its own."""

    def __init__(self, kernel_size, strides=1, padding="valid", depth_multiplier=1, data_format=None, dilation_rate=1,
                 activation=None, use_bias=True, depthwise_initializer="glorot_uniform", bias_initializer="zeros",
                 depthwise_regularizer=None, **kwargs):
        super().__init__(0, kernel_size, strides, padding, data_format, dilation_rate, 1, activation, use_bias,
                         depthwise_initializer, bias_initializer, depthwise_regularizer, **kwargs)
        self.depth_multiplier = depth_multiplier

    def _kernel_shape(self, channels):
        return (*self.kernel_size, channels, self.depth_multiplier)

    def _outputs(self, channels):
        return channels * self.depth_multiplier

    def _convolved(self, t):
        return depthwise(t, self.kernel._read(), self.strides, self.padding, self.dilation_rate, n=self.n)


class SeparableConv2D(BaseConv):
    """A depthwise convolution, and then one of single points."""

    def __init__(self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1,
                 depth_multiplier=1, activation=None, use_bias=True, depthwise_initializer="glorot_uniform",
                 pointwise_initializer="glorot_uniform", bias_initializer="zeros", **kwargs):
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, 1, activation, use_bias,
                         depthwise_initializer, bias_initializer, **kwargs)
        self.depth_multiplier = depth_multiplier
        self.pointwise_initializer = initializers.get(pointwise_initializer)

    def _make_kernel(self, channels):
        k = self.depth_multiplier
        self.depthwise_kernel = self.add_weight((*self.kernel_size, channels, k), self.kernel_initializer,
                                                name="depthwise_kernel")
        self.pointwise_kernel = self.add_weight((*(1,) * self.n, channels * k, self.filters),
                                                self.pointwise_initializer, name="pointwise_kernel")

    def _convolved(self, t):
        t = depthwise(t, self.depthwise_kernel._read(), self.strides, self.padding, self.dilation_rate, n=self.n)
        return convolve(t, self.pointwise_kernel._read(), 1, "valid", 1, self.n)


class Conv2DTranspose(BaseConv):
    """The transpose of a convolution: images enlarged."""

    def __init__(self, filters, kernel_size, strides=1, padding="valid", output_padding=None, **kwargs):
        super().__init__(filters, kernel_size, strides, padding, **kwargs)
        self.output_padding = output_padding

    def _kernel_shape(self, channels):
        return (*self.kernel_size, self.filters, channels)

    def _lengths(self, sizes):
        out = []
        more = numbers(self.output_padding, self.n) if self.output_padding is not None else [None] * self.n
        for n, k, s, p in zip(sizes, self.kernel_size, self.strides, more):
            if n is None:
                out.append(None)
            elif p is not None:
                out.append((n - 1) * s + k - 2 * (k // 2 if self.padding == "same" else 0) + p)
            else:
                out.append(n * s if self.padding == "same" else n * s + max(k - s, 0))
        return out

    def _convolved(self, t):
        return convolve_transposed(t, self.kernel._read(), self._lengths(t._value.shape[1:-1]), self.strides,
                                   self.padding, self.n)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self._lengths(input_shape[1:-1]), self.filters)


class Conv1DTranspose(Conv2DTranspose):
    """The transpose of a convolution over sequences."""

    n = 1


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
SeparableConvolution2D = SeparableConv2D
