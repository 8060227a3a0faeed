"""Collation: how a list of samples becomes one batch."""

import collections.abc
import copy

import numpy as np

import kobai
from kobai.diagnose import error
from kobai.tensor import Tensor, wrap

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

STRINGS_AND_OBJECTS = "SUO"         # kinds of NumPy dtype that no tensor has


def default_collate(batch):
    """Stack samples into a batch: same structure, tensors with one more dimension in front.

    Tensors, arrays and numbers become tensors (a Python float is float64); strings and bytes
    stay a list; dicts, lists, tuples and named tuples are collated part by part (a tuple
    becomes a list). Other types need a `collate_fn` of yours, or an entry in
    `default_collate_fn_map`.

    Raises:
        TypeError: a type that is none of these, such as None.
        RuntimeError: samples of unequal length or shape.

    >>> default_collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
    {'x': tensor([1, 2]), 'name': ['a', 'b']}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch, *, collate_fn_map=None):
    """Collate `batch` by the functions of `collate_fn_map`, going down into containers.

    Args:
        batch: list of samples.
        collate_fn_map: type (or tuple of types) -> ``function(batch, *, collate_fn_map)``. An
            exact match of the type comes first, then the first entry that is a base class.
    """
    sample = batch[0]
    function = _function_for(sample, collate_fn_map or {})
    if function is not None:
        return function(batch, collate_fn_map=collate_fn_map)

    def again(samples):
        return collate(samples, collate_fn_map=collate_fn_map)

    if isinstance(sample, collections.abc.Mapping):
        return _like(sample, {key: again([each[key] for each in batch]) for key in sample})
    if isinstance(sample, collections.abc.Sequence):
        return _like(sample, [again(column) for column in _columns(batch)])
    raise error("collate-type", found=str(type(sample)))


def default_convert(data):
    """Turn the NumPy arrays within one sample into tensors and leave the rest as it is.

    This is what `DataLoader(batch_size=None)` does to each sample.

    >>> default_convert({"x": np.array([0, 1]), "name": "a"})
    {'x': tensor([0, 1]), 'name': 'a'}
    """
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in STRINGS_AND_OBJECTS else kobai.as_tensor(data)
    if isinstance(data, collections.abc.Mapping):
        return _like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, collections.abc.Sequence) and not isinstance(data, (str, bytes)):
        return _like(data, [default_convert(each) for each in data])
    return data


def _function_for(sample, functions):
    exact = functions.get(type(sample))
    if exact is not None:
        return exact
    return next((function for kind, function in functions.items() if isinstance(sample, kind)),
                None)


def _columns(batch) -> list:
    """The parts of sequences of equal length: all the firsts, all the seconds, ..."""
    lengths = {len(sample) for sample in batch}
    if len(lengths) > 1:
        raise error("collate-lengths", lengths=str([len(sample) for sample in batch]))
    return list(zip(*batch))


def _like(sample, parts):
    """A container of the kind of `sample` that holds `parts`, a dict or a list."""
    if isinstance(sample, tuple):
        return type(sample)(*parts) if hasattr(sample, "_fields") else parts
    try:
        if isinstance(sample, collections.abc.MutableMapping):
            clone = copy.copy(sample)       # a subclass may carry more than its items
            clone.update(parts)
        elif isinstance(sample, collections.abc.MutableSequence):
            clone = copy.copy(sample)
            for index, part in enumerate(parts):
                clone[index] = part
        else:
            clone = type(sample)(parts)
        return clone
    except TypeError:       # cannot be copied, filled, or made from a list (a range): plain then
        return parts


def collate_tensor_fn(batch, *, collate_fn_map=None):
    """Tensors of equal shape, stacked."""
    if all(type(each) is Tensor and not each.requires_grad for each in batch):
        stacked = _stacked([each._data for each in batch])
        if stacked is not None:
            return wrap(stacked)
    return kobai.stack(batch, 0)


def collate_numpy_array_fn(batch, *, collate_fn_map=None):
    """Arrays of equal shape, as one tensor."""
    if batch[0].dtype.kind in STRINGS_AND_OBJECTS:
        raise error("collate-type", found=str(batch[0].dtype))
    stacked = _stacked(batch)
    if stacked is not None:
        return kobai.from_numpy(stacked)
    return collate([kobai.as_tensor(each) for each in batch], collate_fn_map=collate_fn_map)


def _stacked(arrays):
    """The arrays (or NumPy scalars) in one with one more dimension; None if they are not all alike.

    This is where most programs spend their loading time, and one concatenation is several times
    as fast as stacking.
    """
    shape, dtype = arrays[0].shape, arrays[0].dtype
    if any(each.shape != shape or each.dtype != dtype for each in arrays):
        return None
    if not shape:
        return np.array(arrays, dtype)
    return np.concatenate(arrays).reshape(len(arrays), *shape)


def collate_numpy_scalar_fn(batch, *, collate_fn_map=None):
    """NumPy scalars, as a tensor of their type."""
    return kobai.as_tensor(np.asarray(batch))


def collate_float_fn(batch, *, collate_fn_map=None):
    """Python floats, in the precision they had."""
    return kobai.tensor(batch, dtype=kobai.float64)


def collate_int_fn(batch, *, collate_fn_map=None):
    """Python integers or booleans."""
    return kobai.tensor(batch)


def collate_str_fn(batch, *, collate_fn_map=None):
    """Strings stay what they are."""
    return batch


default_collate_fn_map = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}
