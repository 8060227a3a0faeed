"""Operations and Keras against a record of TensorFlow 2.21 with Keras 3.15 (record.json, made by record.py)."""
import json
import os
import sys

import numpy as np
import pytest

import kobai.compat.tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import cases_of_keras  # noqa: E402
import cases_of_operations  # noqa: E402
from record import KEPT  # noqa: E402

with open(os.path.join(HERE, "record.json"), encoding="utf-8") as _file:
    RECORD = json.load(_file)
OPERATIONS = {f"{e} of {' '.join(n)}": (e, n) for e, n in cases_of_operations.CASES}
KERAS = dict(cases_of_keras.all_cases())

# A second derivative that is nought everywhere is None here and zeros in TensorFlow, where the first is a mask.
NONE_FOR_ZEROS = ("relu", "relu6", "leaky_relu", "crelu", "max_pool", "floormod", "axis=[]")
# TensorFlow takes the gradient by the labels, and at the kink of elu, as it likes.
OTHER_SECOND = ("softmax_cross_entropy_with_logits(b,a", "tf.nn.elu(a) of Z")


def numbers(values):
    if values and isinstance(values[0], list):
        return np.array([complex(*v) for v in values])
    return np.array([float(v) for v in values])


def agree(have, want, tolerance):
    """Compare an array with what the record holds of one."""
    if want is None or have is None:
        assert have is None and want is None, f"have {have}, TensorFlow has {want}"
        return
    have = np.asarray(have)
    assert have.dtype.name == want["dtype"]
    assert list(have.shape) == want["shape"]
    flat = have.reshape(-1)
    some, total = numbers(want["some"]), numbers(want["sum"])[0]
    mine = flat[:: max(len(flat) // KEPT, 1)][:KEPT].astype(some.dtype)
    scale = max(1.0, np.abs(np.where(np.isfinite(some), some, 0)).max(initial=0))
    np.testing.assert_allclose(mine, some, rtol=tolerance, atol=tolerance * scale)
    if np.isfinite(total):
        np.testing.assert_allclose(flat.astype(some.dtype).sum(), total, rtol=tolerance,
                                   atol=10 * tolerance * scale * max(len(flat), 1) ** 0.5)


@pytest.mark.parametrize("key", [k for k in RECORD if k in OPERATIONS])
def test_operation(key):
    expression, names = OPERATIONS[key]
    values, first, second = cases_of_operations.evaluate(tf, expression, names)
    want = RECORD[key]
    assert len(values) == len(want[0])
    for have, known in zip(values, want[0]):
        agree(have, known, 3e-5)
    for have, known in zip(first, want[1]):
        agree(have, known, 1e-4)
    if any(name in key for name in OTHER_SECOND):
        return
    for have, known in zip(second, want[2]):
        if have is None and known is not None and any(name in key for name in NONE_FOR_ZEROS):
            assert np.abs(numbers(known["some"])).max(initial=0) < 1e-6
        elif not (known is None and "floormod" in key):
            agree(have, known, 3e-3)


@pytest.mark.parametrize("key", [k for k in RECORD if k in KERAS])
def test_keras(key):
    *parts, about = KERAS[key](tf)
    *wanted, known_about = RECORD[key]
    for have, want, tolerance in zip(parts, wanted, (3e-5, 1e-5, 2e-4)):
        assert len(have) == len(want)
        for a, b in zip(have, want):
            agree(a, b, tolerance)
    assert json.loads(json.dumps(about)) == known_about


def test_the_record_is_used():
    assert len([k for k in RECORD if k in OPERATIONS or k in KERAS]) == len(RECORD) > 800
