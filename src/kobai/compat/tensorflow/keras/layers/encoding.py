"""Categories and texts as numbers: CategoryEncoding, Discretization, StringLookup, IntegerLookup, TextVectorization."""
from __future__ import annotations

import re
from collections import Counter

import numpy as np

from .....diagnose import error
from .....tensor import wrap
from ... import dtypes
from ...tensors import box
from ...values import convert_to_tensor, value_of
from ..layer import Layer


def _array(x):
    return np.asarray(value_of(convert_to_tensor(x))._value)


def _rows(data):
    """All values of arrays or of the batches of a dataset, in order."""
    if hasattr(data, "_is_dataset"):
        return [v for batch in data for v in _array(batch).reshape(-1).tolist()]
    return _array(data).reshape(-1).tolist()


def _in_dtype(a, layer):
    return box(wrap(np.asarray(a, np.int64 if isinstance(layer, _Lookup) else dtypes.as_dtype(layer.dtype).np)))


def _encoded(layer, indices, n, mode, weights=None):
    """Numbers of categories as a row of zeros and ones (or of counts) for each sample."""
    if mode == "one_hot":
        if indices.ndim and indices.shape[-1] == 1:
            indices = indices[..., 0]
        return _in_dtype(np.eye(n)[indices], layer)
    rows = indices.reshape(1, -1) if indices.ndim < 2 else indices.reshape(-1, indices.shape[-1])
    out = np.zeros((len(rows), n))
    for row, places in enumerate(rows):
        if mode == "multi_hot":
            out[row, places] = 1
        else:
            np.add.at(out[row], places, 1 if weights is None else np.reshape(weights, rows.shape)[row])
    return _in_dtype(out[0] if indices.ndim < 2 else out.reshape(*indices.shape[:-1], n), layer)


class _Preparing(Layer):
    """Takes numbers or texts, lists of them too, and has no weights."""

    _allow_non_tensor_positional_args = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.autocast, self.built = False, True

    def __call__(self, data, *args, **kwargs):
        if hasattr(data, "flat_values"):  # ragged: its rows stay as long as they are
            return data.with_flat_values(self(data.flat_values, *args, **kwargs))
        if isinstance(data, (list, tuple)):
            data = convert_to_tensor(data)
        return super().__call__(data, *args, **kwargs)


class CategoryEncoding(_Preparing):
    """Numbers of categories as rows of zeros and ones ("multi_hot", "one_hot"), or of counts ("count")."""

    def __init__(self, num_tokens=None, output_mode="multi_hot", sparse=False, **kwargs):
        super().__init__(**kwargs)
        if output_mode not in ("count", "one_hot", "multi_hot"):
            raise error("argument-choice", ValueError(f"Unknown argument for output_mode: {output_mode}"),
                        what="output_mode", value=output_mode, choices=["count", "one_hot", "multi_hot"])
        if num_tokens is None or num_tokens < 1:
            raise error("argument-value",
                        ValueError(f"`num_tokens` must be set and >= 1. Received: num_tokens={num_tokens}."),
                        what="num_tokens", value=num_tokens, must="a positive whole number")
        self.num_tokens, self.output_mode = num_tokens, output_mode

    def call(self, inputs, count_weights=None):
        i = _array(inputs).astype(np.int64)
        if i.size and (i.min() < 0 or i.max() >= self.num_tokens):
            raise error("data-range",
                        ValueError(f"Input values must be in the range 0 <= values < num_tokens with num_tokens={self.num_tokens}"),
                        what="inputs", value=int(i.min() if i.min() < 0 else i.max()),
                        must="a whole number between {low} and {high}", low=0, high=self.num_tokens - 1)
        return _encoded(self, i, self.num_tokens, self.output_mode, count_weights)


class Discretization(_Preparing):
    """Which interval between boundaries a number lies in."""

    def __init__(self, bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode="int", sparse=False, dtype=None,
                 name=None, **kwargs):
        super().__init__(name=name, dtype=dtype or ("int64" if output_mode == "int" else None), **kwargs)
        if (bin_boundaries is None) == (num_bins is None):
            raise error("argument-missing", ValueError("You need to set either `num_bins` or `bin_boundaries`."),
                        fn="Discretization()", what="num_bins or bin_boundaries", must="one of the two",
                        why="exactly one of num_bins and bin_boundaries says how numbers are sorted into bins.",
                        fix="give num_bins (and call adapt), or bin_boundaries.")
        self.bin_boundaries, self.num_bins, self.output_mode = bin_boundaries, num_bins, output_mode

    def adapt(self, data, steps=None):
        """Choose the boundaries so that the intervals hold equally many of these numbers."""
        parts = np.linspace(0, 1, self.num_bins + 1)[1:-1]
        self.bin_boundaries = np.quantile(np.asarray(_rows(data), float), parts).tolist()

    def call(self, inputs):
        i = np.digitize(_array(inputs), self.bin_boundaries)
        if self.output_mode == "int":
            return box(wrap(i.astype(np.int32)))
        return _encoded(self, i, len(self.bin_boundaries) + 1, self.output_mode)

    def compute_output_shape(self, input_shape):
        return input_shape if self.output_mode == "int" else super().compute_output_shape(input_shape)


class _Lookup(_Preparing):
    """Values as their places in a vocabulary; unknown ones share the first places."""

    def __init__(self, max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, invert, output_mode, **kwargs):
        super().__init__(**kwargs)
        self.max_tokens, self.num_oov_indices, self.mask_token = max_tokens, num_oov_indices, mask_token
        self.oov_token, self.invert, self.output_mode = oov_token, invert, output_mode
        self._words = []
        if vocabulary is not None:
            self.set_vocabulary(vocabulary)

    def _special(self):
        masks = [self.mask_token] if self.mask_token is not None else []
        return masks + [self.oov_token] * self.num_oov_indices

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Give the values and their order."""
        given = vocabulary.numpy() if hasattr(vocabulary, "numpy") else vocabulary
        words = [v if isinstance(v, (np.str_, np.int64)) else self._plain(v) for v in given]
        special = self._special()
        self._words = words[len(special):] if words[:len(special)] == special and special else words
        self._place = {w: i for i, w in enumerate(self._words, len(special))}

    def get_vocabulary(self, include_special_tokens=True):
        """The values in order."""
        return [*(self._special() if include_special_tokens else []), *self._words]

    def vocabulary_size(self):
        """The number of places."""
        return len(self._special()) + len(self._words)

    def adapt(self, data, steps=None):
        """Take the vocabulary from data: the most frequent first."""
        counts = Counter(self._plain(v) for v in _rows(data))
        for special in self._special():
            counts.pop(special, None)
        ordered = sorted(counts, key=lambda w: (-counts[w], _reversed_order(w)))
        self.set_vocabulary(np.array(ordered)[:None if self.max_tokens is None else self.max_tokens - len(self._special())])

    def _unknown(self, value):
        if not self.num_oov_indices:
            raise error("data-range",
                        ValueError(f"When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values {[value]}"),
                        what="inputs", value=value, must="in the vocabulary",
                        fix="add the word to the vocabulary, or leave num_oov_indices at 1.")
        return int(self.mask_token is not None)

    def call(self, inputs):
        a = _array(inputs)
        if self.invert:
            words = self.get_vocabulary()
            found = [words[i] if 0 <= i < len(words) else self.oov_token for i in a.reshape(-1).tolist()]
            return convert_to_tensor(np.array(found, object if isinstance(self.oov_token, str) else np.int64).reshape(a.shape))
        places = [0 if self.mask_token is not None and v == self.mask_token else self._place.get(v)
                  for v in map(self._plain, a.reshape(-1).tolist())]
        flat = [self._unknown(v) if p is None else p for p, v in zip(places, a.reshape(-1).tolist())]
        i = np.array(flat, np.int64).reshape(a.shape)
        return box(wrap(i)) if self.output_mode == "int" else _encoded(self, i, self.vocabulary_size(), self.output_mode)


def _reversed_order(word):
    """Equally frequent words come in reversed order."""
    return tuple([-ord(c) for c in word]) + (1,) if isinstance(word, str) else (-word,)


class StringLookup(_Lookup):
    """Texts as their places in a vocabulary; unknown ones are "[UNK]"."""

    def __init__(self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token="[UNK]", vocabulary=None,
                 idf_weights=None, invert=False, output_mode="int", pad_to_max_tokens=False, sparse=False,
                 encoding="utf-8", name=None, **kwargs):
        super().__init__(max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, invert, output_mode,
                         name=name, **kwargs)

    def _plain(self, v):
        return v.decode() if isinstance(v, bytes) else str(v)


class IntegerLookup(_Lookup):
    """Whole numbers as their places in a vocabulary; unknown ones are -1."""

    def __init__(self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token=-1, vocabulary=None,
                 vocabulary_dtype="int64", idf_weights=None, invert=False, output_mode="int", sparse=False,
                 pad_to_max_tokens=False, name=None, **kwargs):
        super().__init__(max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, invert, output_mode,
                         name=name, **kwargs)

    def _plain(self, v):
        return int(v)


_PUNCTUATION = re.compile(r"[!\"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\']")


class TextVectorization(StringLookup):
    """Texts as rows of word numbers: small letters without punctuation, parted at blanks."""

    def __init__(self, max_tokens=None, standardize="lower_and_strip_punctuation", split="whitespace", ngrams=None,
                 output_mode="int", output_sequence_length=None, pad_to_max_tokens=False, vocabulary=None, name=None, **kwargs):
        super().__init__(max_tokens, mask_token="" if output_mode == "int" else None, vocabulary=vocabulary,
                         output_mode=output_mode, name=name, **kwargs)
        self.standardize, self.split, self.output_sequence_length = standardize, split, output_sequence_length

    def _parts(self, text):
        text = self._plain(text)
        if callable(self.standardize):
            text = self._plain(self.standardize(convert_to_tensor(text)).numpy())
        elif self.standardize:
            text = text.lower() if "lower" in self.standardize else text
            text = _PUNCTUATION.sub("", text) if "strip" in self.standardize else text
        return list(text) if self.split == "character" else [text] if self.split is None else text.split()

    def adapt(self, data, batch_size=None, steps=None):
        """Take the vocabulary from texts: the most frequent words first."""
        texts = [self._parts(text) for text in _rows(data)]
        super().adapt(np.array([w for words in texts for w in words], object))
        holding = Counter(w for words in texts for w in set(words))
        rare = np.array([np.log1p(len(texts) / (1 + holding[w])) for w in self._words], np.float32)
        self._idf = np.concatenate([[rare.mean()], rare]).astype(np.float32)

    def call(self, inputs):
        a = _array(inputs)
        rows = [self._parts(text) for text in (a if a.ndim < 2 else a[..., 0]).reshape(-1).tolist()]
        places = [[self._place.get(w, int(self.mask_token is not None)) for w in row] for row in rows]
        if self.output_mode != "int":
            n, mode = self.vocabulary_size(), self.output_mode
            counted = "count" if mode == "tf_idf" else mode
            out = np.stack([_encoded(self, np.array(p, np.int64), n, counted).numpy() for p in places])
            if mode == "tf_idf":
                return box(wrap(((out if a.ndim else out[0]) * self._idf).astype(np.float32)))
            return _in_dtype(out if a.ndim else out[0], self)
        width = self.output_sequence_length or max(map(len, places), default=0)
        out = np.zeros((len(places), width), np.int64)
        for row, p in zip(out, places):
            row[:len(p[:width])] = p[:width]
        return box(wrap(out if a.ndim else out[0]))
