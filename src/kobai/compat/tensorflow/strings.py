"""`tf.strings`: operations on texts, which are bytes."""
from __future__ import annotations

import re

import numpy as np

from ...diagnose import error
from ...tensor import wrap
from . import dtypes
from .errors import invalid
from .names import export
from .output import text_of
from .tensors import box
from .values import array_of, value_of


def _texts(x):
    return np.asarray(value_of(x)._value, object)


def _each(fn, x, dtype=object):
    """`fn` of each text."""
    a = _texts(x)
    out = np.empty(a.shape, dtype)
    out.reshape(-1)[:] = [fn(v) for v in a.reshape(-1)]
    return box(wrap(out if out.shape or dtype is object else out[()]))


@export("strings.length")
def length(input, unit="BYTE", name=None):
    """The number of bytes, or of characters with `unit="UTF8_CHAR"`."""
    return _each(lambda s: len(s if unit == "BYTE" else s.decode()), input, np.int32)


@export("strings.upper")
def upper(input, encoding="", name=None):
    """In capitals."""
    return _each(lambda s: s.decode().upper().encode() if encoding else s.upper(), input)


@export("strings.lower")
def lower(input, encoding="", name=None):
    """In small letters."""
    return _each(lambda s: s.decode().lower().encode() if encoding else s.lower(), input)


@export("strings.strip")
def strip(input, name=None):
    """Without white space at both ends."""
    return _each(lambda s: s.strip(), input)


@export("strings.substr")
def substr(input, pos, len, unit="BYTE", name=None):
    """`len` bytes from `pos` on."""
    pos, n = int(pos), int(len)

    def part(s):
        s = s if unit == "BYTE" else s.decode()
        start, text = pos + (0 if pos >= 0 else s.__len__()), s if unit == "BYTE" else s.encode()
        if not 0 <= start <= s.__len__():
            raise error("argument-value",
                        invalid("Substr", f"pos {pos} out of range for string {text!r} at index 0", None),
                        what="pos", value=pos, size=s.__len__(),
                        why="the text has {size} characters, and pos is {value}.",
                        fix="choose a position inside of each text; tf.strings.length shows their lengths.")
        got = s[start:start + n]
        return got if unit == "BYTE" else got.encode()
    return _each(part, input)


@export("strings.join")
def join(inputs, separator="", name=None):
    """Texts of several tensors one after the other."""
    arrays = np.broadcast_arrays(*[_texts(x) for x in inputs])
    out = np.empty(arrays[0].shape, object)
    out.reshape(-1)[:] = [separator.encode().join(parts) for parts in zip(*[a.reshape(-1) for a in arrays])]
    return box(wrap(out))


@export("strings.reduce_join")
def reduce_join(inputs, axis=None, keepdims=False, separator="", name=None):
    """All texts (or those along a dimension) in one."""
    a, sep = _texts(inputs), separator.encode()
    if axis is None:
        return box(wrap(np.array(sep.join(a.reshape(-1).tolist()), object)))
    rows = np.moveaxis(a, axis, -1)
    out = np.empty(rows.shape[:-1], object)
    out.reshape(-1)[:] = [sep.join(r) for r in rows.reshape(-1, rows.shape[-1]).tolist()]
    return box(wrap(np.expand_dims(out, axis) if keepdims else out))


@export("strings.split")
def split(input, sep=None, maxsplit=-1, name=None):
    """The parts of a text; of many texts a ragged tensor."""
    a = _texts(input)

    def parts(v):
        return v.split(sep.encode() if sep else None, maxsplit) if isinstance(v, bytes) else [parts(w) for w in v]

    if a.ndim:
        from .ragged import constant  # (it imports all of this package)
        return constant(parts(a), dtypes.string)
    return box(wrap(np.array(parts(a[()]), object)))


@export("strings.bytes_split")
def bytes_split(input, name=None):
    """The bytes of a text, each a text; of many texts a ragged tensor."""
    return _cut(lambda v: [bytes([b]) for b in v], dtypes.string, input)


@export("strings.regex_replace")
def regex_replace(input, pattern, rewrite, replace_global=True, name=None):
    """With what matches the pattern replaced."""
    rule, new = re.compile(pattern.encode()), rewrite.encode()
    return _each(lambda s: rule.sub(new, s, count=0 if replace_global else 1), input)


@export("strings.regex_full_match")
def regex_full_match(input, pattern, name=None):
    """Whether the whole text matches."""
    rule = re.compile(pattern.encode())
    return _each(lambda s: rule.fullmatch(s) is not None, input, np.bool_)


@export("strings.as_string", "as_string")
def as_string(input, precision=-1, scientific=False, shortest=False, width=-1, fill="", name=None):
    """Numbers as texts; floats with six digits after the point."""
    a = np.asarray(value_of(input)._value)
    if a.dtype.kind == "b":
        form = lambda v: "true" if v else "false"  # noqa: E731
    elif a.dtype.kind in "iu":
        form = str
    else:
        letter = "e" if scientific else "g" if shortest else "f"
        form = f"{{:.{precision if precision >= 0 else 6}{letter}}}".format
    out = np.empty(a.shape, object)
    texts = [form(v).rjust(max(width, 0), fill or " ") for v in a.reshape(-1)]
    out.reshape(-1)[:] = [t.encode() for t in texts]
    return box(wrap(out))


@export("strings.to_number")
def to_number(input, out_type=dtypes.float32, name=None):
    """Texts as numbers."""
    d = dtypes.as_dtype(out_type)

    def number(s):
        try:
            return int(s) if d.is_integer else float(s)
        except ValueError:
            raise error("data-range", invalid(
                "StringToNumber", f"StringToNumberOp could not correctly convert string: {s.decode()}", None),
                what="input", value=s.decode(), why="{value} is no number.",
                fix="take such texts out first, or replace them.") from None
    return _each(number, input, d.np)


@export("strings.format")
def format(template, inputs, placeholder="{}", summarize=3, name=None):
    """The template with tensors in the places of `{}`, written as by tf.print."""
    inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    head, *rest = template.split(placeholder)
    text = head + "".join([text_of(v, summarize) + part for v, part in zip(inputs, rest)])
    return box(wrap(array_of(text)))


def _cut(parts, dtype, input):
    """The parts of one text as a tensor; those of many texts as a ragged one."""
    def deeper(v):
        return parts(v) if isinstance(v, bytes) else [deeper(w) for w in v]

    a = _texts(input)
    if a.ndim:
        from .ragged import constant  # (it imports all of this package)
        return constant(deeper(a), dtype, ragged_rank=a.ndim)
    return box(wrap(np.array(parts(bytes(a[()])), dtype.np)))


@export("strings.unicode_split")
def unicode_split(input, input_encoding="UTF-8", errors="replace", replacement_char=65533, name=None):
    """The characters of a text, each a text; of many texts a ragged tensor.

    >>> print(unicode_split("né"))
    tf.Tensor([b'n' b'\\xc3\\xa9'], shape=(2,), dtype=string)
    """
    return _cut(lambda v: [c.encode(input_encoding) for c in v.decode(input_encoding, errors)], dtypes.string, input)


@export("strings.unicode_decode")
def unicode_decode(input, input_encoding="UTF-8", errors="replace", replacement_char=65533, name=None):
    """The numbers of the characters of a text; of many texts a ragged tensor."""
    return _cut(lambda v: [ord(c) for c in v.decode(input_encoding, errors)], dtypes.int32, input)


@export("strings.unicode_transcode")
def unicode_transcode(input, input_encoding, output_encoding, errors="replace", name=None):
    """The same texts in another encoding: "UTF-8", "UTF-16-BE" or "UTF-32-BE"."""
    return _each(lambda s: s.decode(input_encoding, errors).encode(output_encoding), input)


@export("strings.unicode_encode")
def unicode_encode(input, output_encoding="UTF-8", errors="replace", name=None):
    """The text of characters given by their numbers; several, where these are rows (ragged ones, too)."""
    rows = input.to_list() if hasattr(input, "to_list") else np.asarray(value_of(input)._value).tolist()

    def text(v):
        return [text(w) for w in v] if v and isinstance(v[0], list) else "".join(map(chr, v)).encode(output_encoding, errors)
    return box(wrap(array_of(text(rows))))
