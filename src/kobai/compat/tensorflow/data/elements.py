"""Elements of datasets: nested NumPy arrays; how they are called, stacked, padded, shuffled."""
from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np

from ....diagnose import error
from ....tensor import wrap
from .. import dtypes, nest
from ..control import TensorSpec
from ..errors import InvalidArgumentError
from ..random_ops import function_seeds
from ..tensors import EagerTensor, box, number_or_array
from ..values import array_of, is_tensor_like, value_of

END = object()

_NODE = ("{{function_node __wrapped__IteratorGetNext_output_types_1_device_/job:localhost/replica:0/task:0/device:"
         "CPU:0}}")


def as_tensors(element):
    """Arrays as tensors; datasets (of windows) and ragged tensors as they are."""
    return nest.map_structure(_as_tensor, element)


def _as_tensor(v):
    if hasattr(v, "_is_dataset") or hasattr(v, "flat_values"):
        return v
    return box(wrap(np.asarray(v, object) if isinstance(v, bytes) else v))


def as_arrays(value):
    """What a function of the program returned, as nested arrays."""
    if hasattr(value, "_is_dataset") or hasattr(value, "flat_values") or value is None:
        return value
    if isinstance(value, dict):
        return type(value)((k, as_arrays(v)) for k, v in value.items())
    if isinstance(value, tuple):
        parts = [as_arrays(v) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if is_tensor_like(value) or isinstance(value, list):
        return number_or_array(value_of(value)) if not isinstance(value, EagerTensor) else number_or_array(value._t)
    return array_of(value)


def call_with(fn, element, streams):
    """`fn` of an element: of its parts if it is a tuple."""
    with function_seeds(streams):
        args = as_tensors(element)
        return fn(*args) if type(args) is tuple else fn(args)


def stacked(rows):
    """Elements as one with a dimension more."""
    columns = zip(*[nest.flatten(r) for r in rows])
    return nest.pack_sequence_as(rows[0], [_stack_column(c) for c in columns])


def _stack_column(column):
    if hasattr(column[0], "_is_dataset"):
        raise error("not-possible", TypeError("Unsupported operation: datasets of windows cannot be batched"),
                    why="an element is a dataset (a window), not a tensor.",
                    fix="make tensors of the windows first: dataset.flat_map(lambda w: w.batch(n)).")
    try:
        return np.stack([np.asarray(v) for v in column]) if not isinstance(column[0], bytes) else np.array(column, object)
    except ValueError:
        shapes = [list(np.shape(v)) for v in column]
        bad = next(i for i, s in enumerate(shapes) if s != shapes[0])
        raise error("shapes-differ", InvalidArgumentError(None, None, (
            f"{_NODE} Cannot batch tensors with different shapes in component 0. First element had shape {shapes[0]} "
            f"and element {bad} had shape {shapes[bad]}. [Op:IteratorGetNext] name: ")),
            what="the first element", shape=tuple(shapes[0]), other="another", other_shape=tuple(shapes[bad]),
            must="the elements of a batch must have the same shape",
            fix="padded_batch(n) fills up with zeros; or bring them to one shape in map() first.") from None


def spec_of(array):
    if hasattr(array, "_is_dataset"):
        return SimpleNamespace(element_spec=array.element_spec)
    a = np.asarray(array, object) if isinstance(array, bytes) else np.asarray(array)
    return TensorSpec(a.shape, dtypes.of(a.dtype))


def shuffled(source, size, stream):
    """The elements in the order that TensorFlow's buffer gives: a place of it is drawn, and filled from its front."""
    buffer, start, end = [None] * size, 0, 0
    drawn = iter(())
    done = False
    while True:
        while not done and end - start < size:
            element = next(source, END)
            if element is END:
                done = True
            else:
                buffer[end % size] = element
                end += 1
        if start == end:
            return
        word = next(drawn, None)
        if word is None:
            drawn = iter(stream.skip(64).words(256).tolist())
            word = next(drawn)
        place, front = (start + word % (end - start)) % size, start % size
        yield buffer[place]
        buffer[place] = buffer[front]
        buffer[front] = None
        start += 1


def groups(source, n, drop_remainder):
    """Lists of n elements; the last may be shorter."""
    while rows := list(itertools.islice(source, n)):
        if len(rows) < n and drop_remainder:
            return
        yield rows


def in_turns(opened, width, block_length):
    """Blocks of elements from `width` open iterators in turn; one that ends is replaced by the next."""
    running, place = list(itertools.islice(opened, width)), 0
    while running:
        got = list(itertools.islice(running[place], block_length))
        yield from got
        if len(got) < block_length:
            new = next(opened, None)
            if new is None:
                running.pop(place)
                place = place % len(running) if running else 0
                continue
            running[place] = new
            if not got:
                continue
        place = (place + 1) % len(running)


def key_of(element):
    return element if isinstance(element, bytes) else np.asarray(element).tobytes()


def parts_of(spec, element):
    """The parts of an element that stand in the places of the leaves of a spec."""
    if isinstance(spec, dict):
        return [v for k in sorted(spec) for v in parts_of(spec[k], element[k])]
    if isinstance(spec, (tuple, list)):
        return [v for s, e in zip(spec, element) for v in parts_of(s, e)]
    return [element]


def fitting(value, spec):
    """A value that a generator gave, as an array of the dtype and shape that were promised."""
    if is_tensor_like(value):
        a = number_or_array(value_of(value))
    else:
        try:
            a = array_of(np.asarray(value) if isinstance(value, list) and not value else value, spec.dtype)
        except (TypeError, ValueError):
            raise error("wrong-return", InvalidArgumentError(
                None, None, (
                f"{_NODE} TypeError: `generator` yielded an element that could not be converted to the expected type. The "
                f"expected type was {spec.dtype.name}, but the yielded element was {value}.")),
                what="generator", kind=type(value), must="values of dtype {dtype}", dtype=spec.dtype.name,
                fix="yield numbers of that dtype, or change output_signature.") from None
    if not spec.shape.is_compatible_with(np.shape(a)):
        raise error("tensor-shape", InvalidArgumentError(
            None, None, (
            f"{_NODE} TypeError: `generator` yielded an element of shape {np.shape(a)} where an element of shape {spec.shape} "
            "was expected.")),
            what="an element of generator", shape=tuple(np.shape(a)), want=spec.shape,
            fix="yield arrays of that shape, or write None into output_signature for sizes that vary.")
    return a


def wider(spec, lead):
    return nest.map_structure(lambda s: TensorSpec([lead, *s.shape.dims] if s.shape.dims is not None else None, s.dtype),
                              spec)


def traced(fn, spec):
    """The spec of what `fn` returns: it is tried on zeros; sizes that change with unknown ones are unknown."""
    def tried(size):
        zeros = nest.map_structure(lambda s: np.zeros([size if d is None else d for d in s.shape], s.dtype.np)
                                   if s.dtype != "string" else np.full([size if d is None else d for d in s.shape], b"",
                                                                       object), spec)
        return as_arrays(call_with(fn, zeros, {}))
    first, second = tried(2), tried(3)
    return nest.map_structure(lambda a, b: TensorSpec(
        [n if n == k else None for n, k in zip(np.shape(a), np.shape(b))], spec_of(a).dtype), first, second)


def _shapes(padded_shapes, row):
    flat = []

    def walk(shape, like):
        if isinstance(like, (tuple, dict)):
            keys = sorted(like) if isinstance(like, dict) else range(len(like))
            for k in keys:
                walk(shape[k], like[k])
        else:
            flat.append(None if shape is None else [None if s in (None, -1) else int(s) for s in shape])
    walk(padded_shapes, row)
    return flat


def filled_up(rows, padded_shapes, padding_values):
    """Elements of different sizes as one."""
    columns = list(zip(*[nest.flatten(r) for r in rows]))
    fills = [0] * len(columns) if padding_values is None else nest.flatten(padding_values) * (
        len(columns) if not isinstance(padding_values, (tuple, list, dict)) else 1)
    shapes = [None] * len(columns) if padded_shapes is None else _shapes(padded_shapes, rows[0])
    return nest.pack_sequence_as(rows[0], [_padded(c, f, s) for c, f, s in zip(columns, fills, shapes)])


def _padded(column, fill, shape):
    arrays = [np.asarray(v) for v in column]
    want = [max(s) for s in zip(*[a.shape for a in arrays])] if shape is None else [
        max(a.shape[i] for a in arrays) if s is None else s for i, s in enumerate(shape)]
    d = arrays[0].dtype
    out = np.full((len(arrays), *want), b"" if d == object and fill == 0 else fill, d)
    for i, a in enumerate(arrays):
        out[(i, *[slice(0, n) for n in a.shape])] = a
    return out
