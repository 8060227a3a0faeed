"""`tf.image`: dtypes, colours, brightness and contrast of pictures, and how alike two are."""
from __future__ import annotations

import numpy as np

from kobai.compat import tensorflow as _tf


def _tensor(image):
    return image if isinstance(image, _tf.Tensor) else _tf.convert_to_tensor(image)


def convert_image_dtype(image, dtype, saturate=False, name=None):
    """Pictures in another dtype; floats are from 0 to 1, integers up to the largest that there is.

    >>> print(convert_image_dtype(_tf.constant([0, 255], _tf.uint8), _tf.float32))
    tf.Tensor([0. 1.], shape=(2,), dtype=float32)
    """
    image, to = _tensor(image), _tf.as_dtype(dtype)
    have = image.dtype
    if have == to:
        return image
    if have.is_integer and to.is_integer:
        a, b = have.max, to.max
        return _tf.cast(image // ((a + 1) // (b + 1)), to) if a > b else _tf.cast(image, to) * ((b + 1) // (a + 1))
    if have.is_floating and to.is_floating:
        return _tf.cast(image, to)
    if have.is_integer:
        return _tf.cast(image, to) * (1.0 / have.max)
    return _tf.saturate_cast(image * (to.max + 0.5), to) if saturate else _tf.cast(image * (to.max + 0.5), to)


def _in_floats(change, image):
    """`change` of the picture in float32, and the result in its own dtype."""
    image = _tensor(image)
    if image.dtype.is_floating:
        return change(image)
    return convert_image_dtype(change(convert_image_dtype(image, _tf.float32)), image.dtype, saturate=True)


def adjust_brightness(image, delta):
    """`delta` (from -1 to 1) added."""
    return _in_floats(lambda x: x + _tf.cast(delta, x.dtype), image)


def adjust_contrast(images, contrast_factor):
    """(x - mean) * factor + mean, by the mean of each channel of a picture."""
    def change(x):
        mean = _tf.reduce_mean(x, axis=[-3, -2], keepdims=True)
        return (x - mean) * _tf.cast(contrast_factor, x.dtype) + mean
    return _in_floats(change, images)


def adjust_gamma(image, gamma=1, gain=1):
    """gain * x ** gamma."""
    return _in_floats(lambda x: gain * x ** gamma, image)


def adjust_saturation(image, saturation_factor, name=None):
    """The saturation times a factor."""
    def change(x):
        h, s, v = _tf.unstack(rgb_to_hsv(x), axis=-1)
        return hsv_to_rgb(_tf.stack([h, _tf.clip_by_value(s * saturation_factor, 0.0, 1.0), v], -1))
    return _in_floats(change, image)


def adjust_hue(image, delta, name=None):
    """The hue turned by `delta` of the circle."""
    def change(x):
        h, s, v = _tf.unstack(rgb_to_hsv(x), axis=-1)
        return hsv_to_rgb(_tf.stack([_tf.math.floormod(h + delta, 1.0), s, v], -1))
    return _in_floats(change, image)


def _at_random(adjust, low_name, high_name, symmetric):
    def random(image, *args, seed=None, **limits):
        given = dict(zip(("max_delta",) if symmetric else (low_name, high_name), args)) | limits
        low, high = (-given["max_delta"], given["max_delta"]) if symmetric else (given[low_name], given[high_name])
        return adjust(image, _tf.random.uniform([], low, high, seed=given.get("seed", seed)))
    random.__doc__ = f"`{adjust.__name__}` by a random amount."
    return random


random_brightness = _at_random(adjust_brightness, "", "", True)
random_hue = _at_random(adjust_hue, "", "", True)
random_contrast = _at_random(adjust_contrast, "lower", "upper", False)
random_saturation = _at_random(adjust_saturation, "lower", "upper", False)


def per_image_standardization(image):
    """Mean 0 and standard deviation 1 for each picture; the deviation counts as 1 / √n at least."""
    x = _tf.cast(_tensor(image), _tf.float32) if not _tensor(image).dtype.is_floating else _tensor(image)
    n = np.prod(x.shape[-3:])
    mean = _tf.reduce_mean(x, axis=[-1, -2, -3], keepdims=True)
    deviation = _tf.math.reduce_std(x, axis=[-1, -2, -3], keepdims=True)
    return (x - mean) / _tf.maximum(deviation, _tf.cast(1.0 / np.sqrt(n), x.dtype))


# ---- colours -------------------------------------------------------------------------------------
def rgb_to_grayscale(images, name=None):
    """One channel of three."""
    def change(x):
        return _tf.expand_dims(_tf.tensordot(x, _tf.constant([0.2989, 0.587, 0.114], x.dtype), [[-1], [0]]), -1)
    images = _tensor(images)
    if images.dtype.is_floating:
        return change(images)
    return convert_image_dtype(change(convert_image_dtype(images, _tf.float32)), images.dtype)


def grayscale_to_rgb(images, name=None):
    """Three equal channels of one."""
    return _tf.concat([_tensor(images)] * 3, -1)


def rgb_to_hsv(images, name=None):
    """Hue, saturation and value."""
    r, g, b = _tf.unstack(_tensor(images), axis=-1)
    v = _tf.maximum(_tf.maximum(r, g), b)
    span = v - _tf.minimum(_tf.minimum(r, g), b)
    norm = _tf.math.divide_no_nan(_tf.ones_like(span), 6.0 * span)
    hue = _tf.where(r == v, norm * (g - b), _tf.where(g == v, norm * (b - r) + 2 / 6, norm * (r - g) + 4 / 6))
    hue = _tf.where(span > 0, hue, _tf.zeros_like(hue))
    return _tf.stack([_tf.where(hue < 0, hue + 1, hue), _tf.math.divide_no_nan(span, v), v], -1)


def hsv_to_rgb(images, name=None):
    """Red, green and blue."""
    h, s, v = _tf.unstack(_tensor(images), axis=-1)

    def channel(x):
        return (1 - s + s * _tf.clip_by_value(x, 0.0, 1.0)) * v
    return _tf.stack([channel(_tf.abs(h * 6 - 3) - 1), channel(2 - _tf.abs(h * 6 - 2)), channel(2 - _tf.abs(h * 6 - 4))], -1)


_YUV = np.array([[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]])


def rgb_to_yuv(images):
    """Luminance and two differences of colours."""
    images = _tensor(images)
    return _tf.tensordot(images, _tf.constant(_YUV, images.dtype), [[-1], [0]])


def yuv_to_rgb(images):
    """Red, green and blue."""
    images = _tensor(images)
    table = np.array([[1, 1, 1], [0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0]])
    return _tf.tensordot(images, _tf.constant(table, images.dtype), [[-1], [0]])


# ---- edges, and how alike two pictures are -----------------------------------------------------------
def image_gradients(image):
    """(dy, dx): each element's difference to the next; 0 in the last row and column."""
    image = _tensor(image)
    dy, dx = image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]
    return _tf.pad(dy, [[0, 0], [0, 1], [0, 0], [0, 0]]), _tf.pad(dx, [[0, 0], [0, 0], [0, 1], [0, 0]])


def sobel_edges(image):
    """Sobel's differences along rows and columns: [..., 2]."""
    image = _tf.pad(_tensor(image), [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")

    def along(t, axis, weights):
        n = t.shape[axis] - 2
        parts = [t[:, i:i + n] if axis == 1 else t[:, :, i:i + n] for i in range(3)]
        return sum(w * p for w, p in zip(weights, parts) if w)
    smooth, difference = (1.0, 2.0, 1.0), (-1.0, 0.0, 1.0)
    return _tf.stack([along(along(image, 1, difference), 2, smooth), along(along(image, 1, smooth), 2, difference)], -1)


def total_variation(images, name=None):
    """The sum of the differences of neighbours."""
    images = _tensor(images)
    return _tf.reduce_sum(_tf.abs(images[..., 1:, :, :] - images[..., :-1, :, :]), axis=[-1, -2, -3]) \
        + _tf.reduce_sum(_tf.abs(images[..., :, 1:, :] - images[..., :, :-1, :]), axis=[-1, -2, -3])


def psnr(a, b, max_val, name=None):
    """The peak signal-to-noise ratio in decibels."""
    a, b = (convert_image_dtype(_tensor(x), _tf.float32) for x in (a, b))
    error = _tf.reduce_mean((a - b) ** 2, axis=[-3, -2, -1])
    return 20 * _tf.math.log(_tf.cast(max_val, _tf.float32)) / np.float32(np.log(10)) \
        - np.float32(10 / np.log(10)) * _tf.math.log(error)


def ssim(img1, img2, max_val, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03, return_index_map=False):
    """The structural similarity (Wang et al. 2004), with a Gaussian window."""
    x, y = (convert_image_dtype(_tensor(v), _tf.float32) for v in (img1, img2))
    i = np.arange(filter_size, dtype=np.float32) - (filter_size - 1) / 2
    g = np.exp(-(i[:, None] ** 2 + i ** 2) / (2 * filter_sigma ** 2))
    window = _tf.tile(_tf.constant((g / g.sum())[..., None, None], _tf.float32), (1, 1, x.shape[-1], 1))

    def mean(v):
        flat = _tf.reshape(v, (-1, *v.shape[-3:]))
        return _tf.nn.depthwise_conv2d(flat, window, [1, 1, 1, 1], "VALID")
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mx, my = mean(x), mean(y)
    light = (mx * my * 2 + c1) / (mx ** 2 + my ** 2 + c1)
    structure = (mean(x * y) * 2 - mx * my * 2 + c2) / (mean(x ** 2 + y ** 2) - mx ** 2 - my ** 2 + c2)
    index = _tf.reduce_mean(light * structure, axis=-1)
    if return_index_map:
        return _tf.reshape(index, (*x.shape[:-3], *index.shape[1:]))
    return _tf.reshape(_tf.reduce_mean(index, axis=[1, 2]), tuple(x.shape[:-3]))
