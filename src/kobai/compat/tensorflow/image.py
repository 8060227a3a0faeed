"""`tf.image`: pictures resized, turned, cut and padded; their colours are in image_colors.py.

Pictures are [height, width, channels] or [batch, height, width, channels]. Everything has gradients.
"""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from kobai.compat import tensorflow as _tf

from ...diagnose import error as _error
from ...tensor import wrap as _wrap
from ..missing import missing_attribute as _missing_attribute
from .image_colors import (
    adjust_brightness as adjust_brightness,
    adjust_contrast as adjust_contrast,
    adjust_gamma as adjust_gamma,
    adjust_hue as adjust_hue,
    adjust_saturation as adjust_saturation,
    convert_image_dtype as convert_image_dtype,
    grayscale_to_rgb as grayscale_to_rgb,
    hsv_to_rgb as hsv_to_rgb,
    image_gradients as image_gradients,
    per_image_standardization as per_image_standardization,
    psnr as psnr,
    random_brightness as random_brightness,
    random_contrast as random_contrast,
    random_hue as random_hue,
    random_saturation as random_saturation,
    rgb_to_grayscale as rgb_to_grayscale,
    rgb_to_hsv as rgb_to_hsv,
    rgb_to_yuv as rgb_to_yuv,
    sobel_edges as sobel_edges,
    ssim as ssim,
    total_variation as total_variation,
    yuv_to_rgb as yuv_to_rgb,
)
from .tensors import box as _box


class ResizeMethod:
    """Names of the ways to resize."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC, AREA = "bilinear", "nearest", "bicubic", "area"
    LANCZOS3, LANCZOS5, GAUSSIAN, MITCHELLCUBIC = "lanczos3", "lanczos5", "gaussian", "mitchellcubic"


# ---- resizing ----------------------------------------------------------------------------------
def resize(images, size, method=ResizeMethod.BILINEAR, preserve_aspect_ratio=False, antialias=False, name=None):
    """Pictures brought to (height, width): float32, or by "nearest" of the dtype they have.

    >>> print(resize([[[0.], [2.]]], (1, 4))[0, :, 0])
    tf.Tensor([0.  0.5 1.5 2. ], shape=(4,), dtype=float32)

    Raises: ValueError for other than 3 or 4 dimensions, and unless `size` is two numbers.
    """
    images, batched = _batched(images)
    height, width = images.shape[1], images.shape[2]
    size = _two(size)
    if preserve_aspect_ratio:
        factor = min(size[0] / height, size[1] / width)
        size = round(factor * height), round(factor * width)
    if size != (height, width):
        if method == ResizeMethod.NEAREST_NEIGHBOR:
            images = _tf.gather(_tf.gather(images, _nearest(height, size[0]), axis=1), _nearest(width, size[1]), axis=2)
        else:
            images = _weighted(_tf.cast(images, _tf.float32), size, method, antialias)
    return images if batched else images[0]


def _two(size):
    two = [int(v) for v in (size.numpy() if hasattr(size, "numpy") else size)] if np.ndim(size) == 1 else []
    if len(two) != 2:
        raise _error("argument-value", ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width"),
                     what="size", value=size, must="two whole numbers",
                     fix="tf.image.resize(images, (height, width))")
    return tuple(two)


def _batched(images):
    images = images if isinstance(images, _tf.Tensor) else _tf.convert_to_tensor(images)
    if len(images.shape) not in (3, 4):
        raise _error("tensor-dims", ValueError("'images' must have either 3 or 4 dimensions."),
                     what="images", shape=tuple(images.shape), need="{n} or {m}", n=3, m=4,
                     fix="a picture is [height, width, channels]; tf.expand_dims(x, -1) gives a grey one its "
                         "channel.")
    return (images, True) if len(images.shape) == 4 else (images[None], False)


def _nearest(size, out):
    return np.minimum(np.floor((np.arange(out) + 0.5) * (size / out)), size - 1).astype(np.int32)


def _weighted(images, size, method, antialias):
    """Rows, then columns, as sums with weights."""
    b, h, w, c = images.shape
    rows, columns = (_tf.constant(_weights(a, z, str(method), antialias)) for a, z in ((h, size[0]), (w, size[1])))
    y = _tf.matmul(rows, _tf.reshape(images, (b, h, w * c)))
    y = _tf.matmul(columns, _tf.reshape(y, (b * size[0], w, c)))
    return _tf.reshape(y, (b, *size, c))


@lru_cache(64)
def _weights(size, out, method, antialias):
    """The matrix [out, size] of a way to resize."""
    if method == "area":
        edges, i = np.arange(out + 1) * (size / out), np.arange(size)
        inside = np.minimum(edges[1:, None], i + 1) - np.maximum(edges[:-1, None], i)
        return (np.maximum(inside, 0) / (size / out)).astype(np.float32)
    at = (np.arange(out) + 0.5) * (size / out)
    if method == "bilinear" and not antialias:
        low = np.floor(at - 0.5)
        table = np.zeros((out, size), np.float32)
        for step, part in ((0, 1 - (at - 0.5 - low)), (1, at - 0.5 - low)):
            np.add.at(table, (np.arange(out), np.clip(low + step, 0, size - 1).astype(int)), part)
        return table
    if method not in _KERNELS:
        raise _error("argument-choice", ValueError(f"Resize method is not implemented: {method}"),
                     what="method", value=method, choices=[*_KERNELS, "nearest", "area"])
    if method == "bicubic" and not antialias:  # from a table of 1,024 places
        at = np.floor(at - 0.5) + np.rint((at - 0.5 - np.floor(at - 0.5)) * 1024) / 1024 + 0.5
    kernel, radius = _KERNELS[method]
    wide = max(size / out, 1.0) if antialias else 1.0
    away = (np.arange(size) + 0.5 - at[:, None]) / wide
    table = np.where(np.abs(away) < radius, kernel(np.abs(away)), 0.0)
    return (table / table.sum(1, keepdims=True)).astype(np.float32)


def _cubic(b, c):
    """The cubic kernels of Mitchell and Netravali (1988)."""
    def kernel(x):
        near = ((12 - 9 * b - 6 * c) * x ** 3 + (-18 + 12 * b + 6 * c) * x ** 2 + 6 - 2 * b) / 6
        far = ((-b - 6 * c) * x ** 3 + (6 * b + 30 * c) * x ** 2 + (-12 * b - 48 * c) * x + 8 * b + 24 * c) / 6
        return np.where(x < 1, near, np.where(x < 2, far, 0.0))
    return kernel


def _lanczos(n):
    return lambda x: np.sinc(x) * np.sinc(x / n)


_KERNELS = {"bilinear": (lambda x: np.maximum(1 - x, 0), 1), "bicubic": (_cubic(0, 0.5), 2),
            "mitchellcubic": (_cubic(1 / 3, 1 / 3), 2), "gaussian": (lambda x: np.exp(-2 * x ** 2), 1.5),
            "lanczos3": (_lanczos(3), 3), "lanczos5": (_lanczos(5), 5)}


def resize_with_pad(image, target_height, target_width, method=ResizeMethod.BILINEAR, antialias=False):
    """As large as fits into (height, width) in the same proportions, with zeros around."""
    images, batched = _batched(image)
    h, w = images.shape[1], images.shape[2]
    factor = max(w / target_width, h / target_height)
    size = int(np.floor(h / factor)), int(np.floor(w / factor))
    y = resize(images, size, method, antialias=antialias)
    y = pad_to_bounding_box(y, (target_height - size[0]) // 2, (target_width - size[1]) // 2, target_height, target_width)
    return y if batched else y[0]


# ---- parts ---------------------------------------------------------------------------------------
def crop_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    """The part of this size that begins at (offset_height, offset_width)."""
    images, batched = _batched(image)
    h, w = images.shape[1], images.shape[2]
    if offset_height < 0 or offset_width < 0 or offset_height + target_height > h or offset_width + target_width > w:
        side = "width" if offset_width + target_width > images.shape[2] else "height"
        raise _error("not-possible", ValueError(f"{side} must be >= target + offset."),
                     height=images.shape[1], width=images.shape[2], part_height=target_height, part_width=target_width,
                     top=offset_height, left=offset_width,
                     why="the picture is {height} x {width}; a part of {part_height} x {part_width} from ({top}, "
                         "{left}) on goes beyond it.",
                     fix="choose a smaller part; tf.image.resize_with_crop_or_pad pads where it goes beyond.")
    y = images[:, offset_height:offset_height + target_height, offset_width:offset_width + target_width]
    return y if batched else y[0]


def pad_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    """Zeros around the picture, so that it begins at (offset_height, offset_width) of one of this size."""
    images, batched = _batched(image)
    after = (target_height - offset_height - images.shape[1], target_width - offset_width - images.shape[2])
    if min(offset_height, offset_width, *after) < 0:
        raise _error("not-possible", ValueError("target_height must be >= height + offset"),
                     height=images.shape[1], width=images.shape[2], part_height=target_height, part_width=target_width,
                     top=offset_height, left=offset_width,
                     why="the picture is {height} x {width}; from ({top}, {left}) on it does not fit into "
                         "{part_height} x {part_width}.",
                     fix="choose a larger size; tf.image.resize_with_crop_or_pad cuts where it goes beyond.")
    y = _tf.pad(images, [[0, 0], [offset_height, after[0]], [offset_width, after[1]], [0, 0]])
    return y if batched else y[0]


def resize_with_crop_or_pad(image, target_height, target_width):
    """The middle, cut or with zeros around, in this size."""
    images, batched = _batched(image)
    more = [t - s for t, s in zip((target_height, target_width), images.shape[1:3])]
    pad = [max(d // 2, 0) for d in more]
    cut = [-d // 2 if d < 0 else 0 for d in more]
    y = crop_to_bounding_box(images, *cut, min(target_height, images.shape[1]), min(target_width, images.shape[2]))
    y = pad_to_bounding_box(y, *pad, target_height, target_width)
    return y if batched else y[0]


resize_image_with_crop_or_pad = resize_with_crop_or_pad


def central_crop(image, central_fraction):
    """The middle, a fraction of height and width."""
    if not 0 < central_fraction <= 1:
        raise _error("argument-value", ValueError("central_fraction must be within (0, 1]"),
                     what="central_fraction", value=central_fraction, must="a number above {low} and at most {high}",
                     low=0, high=1)
    images, batched = _batched(image)
    start = [int((s - s * central_fraction) / 2) for s in images.shape[1:3]]
    y = images[:, start[0]:images.shape[1] - start[0], start[1]:images.shape[2] - start[1]]
    return y if batched else y[0]


def random_crop(value, size, seed=None, name=None):
    """A part of this size, anywhere."""
    value = _tf.convert_to_tensor(value)
    room = [s - t + 1 for s, t in zip(value.shape, size)]
    start = _tf.random.uniform([len(room)], maxval=2 ** 31 - 1, dtype=_tf.int32, seed=seed).numpy() % np.array(room)
    return value[tuple(slice(int(a), int(a) + t) for a, t in zip(start, size))]


def extract_patches(images, sizes, strides, rates, padding, name=None):
    """Patches of pictures, each flattened into the channels."""
    images, _ = _batched(images)
    (kh, kw), (sh, sw), (rh, rw) = sizes[1:3], strides[1:3], rates[1:3]
    eh, ew = (kh - 1) * rh + 1, (kw - 1) * rw + 1
    if padding == "SAME":
        around = [max((-(-s // t) - 1) * t + k - s, 0) for s, t, k in zip(images.shape[1:3], (sh, sw), (eh, ew))]
        images = _tf.pad(images, [[0, 0], *[[a // 2, a - a // 2] for a in around], [0, 0]])
    h, w = images.shape[1], images.shape[2]
    parts = [images[:, i * rh:h - eh + i * rh + 1:sh, j * rw:w - ew + j * rw + 1:sw] for i in range(kh) for j in range(kw)]
    return _tf.concat(parts, -1)


def crop_and_resize(image, boxes, box_indices, crop_size, method="bilinear", extrapolation_value=0.0, name=None):
    """Parts of pictures by boxes [y1, x1, y2, x2] in fractions of their sizes, each resized to `crop_size`."""
    images = _tf.cast(_batched(image)[0], _tf.float32)
    h, w = images.shape[1], images.shape[2]
    out = []
    for (y1, x1, y2, x2), k in zip(np.asarray(boxes, np.float32), np.asarray(box_indices)):
        rows, columns = _places(y1, y2, h, crop_size[0]), _places(x1, x2, w, crop_size[1])
        inside = np.outer((rows >= 0) & (rows <= h - 1), (columns >= 0) & (columns <= w - 1))
        a, b = _between(rows, h, method), _between(columns, w, method)
        part = _tf.einsum("ih,hwc,jw->ijc", _tf.constant(a), images[int(k)], _tf.constant(b))
        out.append(_tf.where(inside[..., None], part, extrapolation_value))
    return _tf.stack(out)


def _places(start, end, size, n):
    if n == 1:
        return np.array([0.5 * (start + end) * (size - 1)])
    step = np.float32((end - start) * np.float32(size - 1) / np.float32(n - 1))  # in single precision throughout
    return start * np.float32(size - 1) + np.arange(n, dtype=np.float32) * step


def _between(at, size, method):
    at = np.clip(at, 0, size - 1)
    at = np.floor(at + 0.5) if method == "nearest" else at
    return np.maximum(1 - np.abs(at[:, None] - np.arange(size)), 0).astype(np.float32)


# ---- turned and mirrored -------------------------------------------------------------------------
def flip_left_right(image):
    """Left and right exchanged."""
    images, batched = _batched(image)
    y = _tf.reverse(images, [2])
    return y if batched else y[0]


def flip_up_down(image):
    """Top and bottom exchanged."""
    images, batched = _batched(image)
    y = _tf.reverse(images, [1])
    return y if batched else y[0]


def transpose(image, name=None):
    """Rows and columns exchanged."""
    images, batched = _batched(image)
    y = _tf.transpose(images, [0, 2, 1, 3])
    return y if batched else y[0]


transpose_image = transpose


def rot90(image, k=1, name=None):
    """Turned to the left by k quarters."""
    images, batched = _batched(image)
    for _ in range(int(k) % 4):
        images = _tf.reverse(_tf.transpose(images, [0, 2, 1, 3]), [1])
    return images if batched else images[0]


def _perhaps(flip):
    def random_flip(image, seed=None):
        images, batched = _batched(image)
        chosen = _tf.random.uniform([images.shape[0]] if batched else [], 0.0, 1.0, seed=seed) < 0.5
        y = _tf.where(_tf.reshape(chosen, (-1, 1, 1, 1)), flip(images), images)
        return y if batched else y[0]
    random_flip.__doc__ = f"Each picture as it is, or as by `{flip.__name__}`."
    return random_flip


random_flip_left_right, random_flip_up_down = _perhaps(flip_left_right), _perhaps(flip_up_down)


# ---- boxes ---------------------------------------------------------------------------------------
def non_max_suppression(boxes, scores, max_output_size, iou_threshold=0.5, score_threshold=float("-inf"), name=None):
    """The indices of boxes [y1, x1, y2, x2], the best first, that do not overlap a better one too much."""
    boxes, scores = np.asarray(boxes, np.float32), np.asarray(scores, np.float32)
    kept = []
    for i in np.argsort(-scores, kind="stable"):
        if len(kept) == int(max_output_size) or scores[i] <= score_threshold:
            break
        if all(_overlap(boxes[i], boxes[j]) <= iou_threshold for j in kept):
            kept.append(int(i))
    return _box(_wrap(np.array(kept, np.int32)))


def _overlap(a, b):
    """The common area by the area of both together."""
    (ay, by), (ax, bx) = ((sorted((p[i], p[i + 2])) for p in (a, b)) for i in (0, 1))
    common = max(min(ay[1], by[1]) - max(ay[0], by[0]), 0) * max(min(ax[1], bx[1]) - max(ax[0], bx[0]), 0)
    both = (ay[1] - ay[0]) * (ax[1] - ax[0]) + (by[1] - by[0]) * (bx[1] - bx[0]) - common
    return common / both if both > 0 else 0.0


def __getattr__(name):
    raise _missing_attribute(__name__, name, [n for n in globals() if not n.startswith("_")])
