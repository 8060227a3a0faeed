"""From samples to a batch: types and dtypes as in PyTorch."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import kobai
from kobai.utils.data import default_collate, default_convert
from kobai.utils.data.collate import collate, default_collate_fn_map

Point = namedtuple("Point", ["x", "y"])


@pytest.mark.parametrize(("batch", "dtype", "values"), [
    ([1, 2], kobai.int64, [1, 2]),
    ([1.5, 2], kobai.float64, [1.5, 2.0]),
    ([True, False], kobai.bool, [True, False]),
    ([np.float32(1), np.float32(2)], kobai.float32, [1.0, 2.0]),
    ([np.int16(1), np.int16(2)], kobai.int16, [1, 2]),
    ([np.bool_(True)], kobai.bool, [True]),
    ([np.ones(2), np.zeros(2)], kobai.float64, [[1.0, 1.0], [0.0, 0.0]]),
    ([np.array(3, np.uint8)], kobai.uint8, [3]),
    ([kobai.tensor([1, 2]), kobai.tensor([3, 4])], kobai.int64, [[1, 2], [3, 4]]),
])
def test_numbers_arrays_and_tensors(batch, dtype, values):
    result = default_collate(batch)
    assert result.dtype is dtype and result.tolist() == values


def test_strings_stay():
    assert default_collate(["a", "b"]) == ["a", "b"]
    assert default_collate([b"a"]) == [b"a"]


def test_containers_keep_their_kind():
    assert [column.tolist() for column in default_collate([(1, 2), (3, 4)])] == [[1, 3], [2, 4]]
    assert type(default_collate([(1, 2)])) is list
    point = default_collate([Point(1, 2.0), Point(3, 4.0)])
    assert type(point) is Point and point.y.tolist() == [2.0, 4.0]
    ordered = default_collate([OrderedDict(b=1, a="x"), OrderedDict(b=2, a="y")])
    assert type(ordered) is OrderedDict and list(ordered) == ["b", "a"] and ordered["a"] == ["x", "y"]
    nested = default_collate([{"x": [1, {"y": 2}]}, {"x": [3, {"y": 4}]}])
    assert nested["x"][1]["y"].tolist() == [2, 4]


def test_a_dict_with_more_than_its_items_keeps_it():
    class Tagged(dict):
        tag = None

    first = Tagged(x=1)
    first.tag = "kept"
    assert default_collate([first, Tagged(x=2)]).tag == "kept"


def test_ranges_cannot_be_filled_and_become_lists():
    assert [column.tolist() for column in default_collate([range(2), range(2)])] == [[0, 0], [1, 1]]


@pytest.mark.parametrize(("batch", "error", "message"), [
    ([None], TypeError, "must contain tensors, numpy arrays, numbers, dicts or lists; found .*NoneType"),
    ([{"x": object()}], TypeError, "found <class 'object'>"),
    ([np.array(["a"])], TypeError, "found <U1"),
    ([[1], [1, 2]], RuntimeError, r"should be of equal size\n.*\[1, 2\]"),
    ([kobai.zeros(2), kobai.zeros(3)], RuntimeError, "stack expects each tensor to be equal size"),
])
def test_refusals(batch, error, message):
    with pytest.raises(error, match=message):
        default_collate(batch)


def test_own_types_by_a_map_of_functions():
    class Image:
        pass

    class Photo(Image):
        pass

    functions = {Image: lambda batch, *, collate_fn_map: f"{len(batch)} images", **default_collate_fn_map}
    assert collate([{"i": Photo(), "n": 1}], collate_fn_map=functions)["i"] == "1 images"


def test_convert_changes_arrays_only():
    text = np.array("a")
    sample = default_convert({"x": np.arange(2), "p": Point(np.float32(1), "s"), "t": (1, np.ones(1)),
                              "text": text})
    assert sample["x"].tolist() == [0, 1]
    assert type(sample["p"]) is Point and sample["p"].x.dtype is kobai.float32 and sample["p"].y == "s"
    assert sample["t"][0] == 1 and sample["t"][1].tolist() == [1.0] and type(sample["t"]) is list
    assert sample["text"] is text
