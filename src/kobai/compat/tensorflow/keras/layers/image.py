"""Layers that bring pictures to a size, and that change them at random while a model is trained."""
from __future__ import annotations

import numpy as np

from .....op import m
from .....tensor import wrap
from ... import image as _image
from ...tensors import box
from ...values import cast, convert_to_tensor, value_of
from ..layer import Layer


def _floats(images, layer):
    t = convert_to_tensor(images)
    return np.asarray(value_of(t)._value).astype(layer.compute_dtype or "float32")


class Resizing(Layer):
    """Pictures in another size."""

    def __init__(self, height, width, interpolation="bilinear", crop_to_aspect_ratio=False, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width, self.interpolation = height, width, interpolation
        self.crop_to_aspect_ratio, self.built = crop_to_aspect_ratio, True

    def call(self, inputs):
        if self.crop_to_aspect_ratio:
            h, w = inputs.shape[-3:-1]
            keep = [max(min(n, int(n2)), 1) for n, n2 in ((h, w * self.height / self.width), (w, h * self.width / self.height))]
            inputs = _image.crop_to_bounding_box(inputs, (h - keep[0]) // 2, (w - keep[1]) // 2, *keep)
        y, dtype = _image.resize(inputs, (self.height, self.width), self.interpolation), convert_to_tensor(inputs).dtype
        return cast(box(m.round(value_of(y))) if dtype.is_integer else y, dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-3], self.height, self.width, input_shape[-1])


class CenterCrop(Layer):
    """The middle of pictures; smaller ones are enlarged first."""

    def __init__(self, height, width, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width, self.built = height, width, True

    def call(self, inputs):
        inputs = cast(inputs, self.compute_dtype or "float32")
        h, w = inputs.shape[-3:-1]
        if h < self.height or w < self.width:
            return Resizing(self.height, self.width, crop_to_aspect_ratio=True, name=self.name)(inputs)
        return inputs[..., (h - self.height) // 2:(h + self.height) // 2, (w - self.width) // 2:(w + self.width) // 2, :]

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-3], self.height, self.width, input_shape[-1])


class _AtRandom(Layer):
    """Another change for each picture in training; none otherwise. The draws are not TensorFlow's."""

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed, self.built, self._draws = seed, True, np.random.RandomState(seed)

    def call(self, inputs, training=True):
        if not training:
            return inputs
        a = _floats(inputs, self)
        changed = [self.changed(p, self._draws) for p in a] if a.ndim == 4 else self.changed(a, self._draws)
        return box(wrap(np.asarray(changed, a.dtype)))

    def compute_output_shape(self, input_shape):
        return input_shape


class RandomFlip(_AtRandom):
    """Mirrored "horizontal"ly, "vertical"ly, or both."""

    def __init__(self, mode="horizontal_and_vertical", **kwargs):
        super().__init__(**kwargs)
        self.mode = mode

    def changed(self, p, draws):
        """One picture, changed."""
        p = p[:, ::-1] if "horizontal" in self.mode and draws.rand() < 0.5 else p
        return p[::-1] if "vertical" in self.mode and draws.rand() < 0.5 else p


class RandomContrast(_AtRandom):
    """Differences from the mean multiplied by a factor."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def changed(self, p, draws):
        """One picture, changed."""
        low, high = _range(self.factor)
        mean = p.mean((0, 1), keepdims=True)
        return (p - mean) * (1 + draws.uniform(low, high)) + mean


class RandomBrightness(_AtRandom):
    """Lighter or darker."""

    def __init__(self, factor, value_range=(0, 255), **kwargs):
        super().__init__(**kwargs)
        self.factor, self.value_range = factor, value_range

    def changed(self, p, draws):
        """One picture, changed."""
        low, high = self.value_range
        return np.clip(p + draws.uniform(*_range(self.factor)) * (high - low), low, high)


class RandomCrop(_AtRandom):
    """A part of this size; the middle when the model is not being trained."""

    def __init__(self, height, width, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def call(self, inputs, training=True):
        return super().call(inputs) if training else CenterCrop(self.height, self.width, name=self.name)(inputs)

    def changed(self, p, draws):
        """One picture, changed."""
        y, x = draws.randint(p.shape[0] - self.height + 1), draws.randint(p.shape[1] - self.width + 1)
        return p[y:y + self.height, x:x + self.width]

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-3], self.height, self.width, input_shape[-1])


class _Moved(_AtRandom):
    """Pictures whose points come from elsewhere, by a matrix and a shift."""

    def __init__(self, fill_mode="reflect", interpolation="bilinear", fill_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, fill_value

    def moved(self, p, matrix, shift=(0.0, 0.0)):
        """The picture whose point (y, x), seen from the middle, is that of `p` at matrix @ (y, x) + shift."""
        from scipy.ndimage import affine_transform  # (slow to load)
        middle = (np.array(p.shape[:2]) - 1) / 2
        offset = middle - matrix @ middle + np.asarray(shift)
        mode = {"reflect": "reflect", "wrap": "grid-wrap", "nearest": "nearest", "constant": "constant"}[self.fill_mode]
        planes = [affine_transform(p[..., c], matrix, offset, order=int(self.interpolation == "bilinear"), mode=mode,
                                   cval=self.fill_value) for c in range(p.shape[-1])]
        return np.stack(planes, -1)


class RandomRotation(_Moved):
    """Turned by a part of a full turn."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def changed(self, p, draws):
        """One picture, changed."""
        angle = 2 * np.pi * draws.uniform(*_range(self.factor))
        c, s = np.cos(angle), np.sin(angle)
        return self.moved(p, np.array([[c, s], [-s, c]]))


class RandomZoom(_Moved):
    """Larger or smaller: a negative factor brings pictures closer."""

    def __init__(self, height_factor, width_factor=None, **kwargs):
        super().__init__(**kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor

    def changed(self, p, draws):
        """One picture, changed."""
        y = 1 + draws.uniform(*_range(self.height_factor))
        x = y if self.width_factor is None else 1 + draws.uniform(*_range(self.width_factor))
        return self.moved(p, np.diag([y, x]))


class RandomTranslation(_Moved):
    """Shifted by parts of the height and the width."""

    def __init__(self, height_factor, width_factor, **kwargs):
        super().__init__(**kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor

    def changed(self, p, draws):
        """One picture, changed."""
        parts = draws.uniform(*_range(self.height_factor)), draws.uniform(*_range(self.width_factor))
        return self.moved(p, np.eye(2), -np.array(parts) * p.shape[:2])


def _range(factor):
    """(low, high) of a factor: of one number, that to both sides."""
    return tuple(factor) if isinstance(factor, (list, tuple)) else (-factor, factor)
