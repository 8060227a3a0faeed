"""Tensors and variables: printed forms, dtypes, conversions, operators. Expected texts are TensorFlow 2.21's."""
import copy
import pickle

import numpy as np
import pytest

import kobai.compat.tensorflow as tf

PRINTED = [
    (lambda: tf.constant(4), "tf.Tensor(4, shape=(), dtype=int32)", "<tf.Tensor: shape=(), dtype=int32, numpy=4>"),
    (lambda: tf.constant(0.1), "tf.Tensor(0.1, shape=(), dtype=float32)",
     "<tf.Tensor: shape=(), dtype=float32, numpy=0.10000000149011612>"),
    (lambda: tf.constant([1.0, 2.0]), "tf.Tensor([1. 2.], shape=(2,), dtype=float32)",
     "<tf.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>"),
    (lambda: tf.constant([[1, 2], [3, 4]]), "tf.Tensor(\n[[1 2]\n [3 4]], shape=(2, 2), dtype=int32)",
     "<tf.Tensor: shape=(2, 2), dtype=int32, numpy=\narray([[1, 2],\n       [3, 4]], dtype=int32)>"),
    (lambda: tf.constant(True), "tf.Tensor(True, shape=(), dtype=bool)", "<tf.Tensor: shape=(), dtype=bool, numpy=True>"),
    (lambda: tf.constant("hi"), "tf.Tensor(b'hi', shape=(), dtype=string)",
     "<tf.Tensor: shape=(), dtype=string, numpy=b'hi'>"),
    (lambda: tf.constant(["a", "b"]), "tf.Tensor([b'a' b'b'], shape=(2,), dtype=string)",
     "<tf.Tensor: shape=(2,), dtype=string, numpy=array([b'a', b'b'], dtype=object)>"),
    (lambda: tf.constant(1 + 2j), "tf.Tensor((1+2j), shape=(), dtype=complex128)",
     "<tf.Tensor: shape=(), dtype=complex128, numpy=(1+2j)>"),
    (lambda: tf.constant(1.0, tf.float16), "tf.Tensor(1.0, shape=(), dtype=float16)",
     "<tf.Tensor: shape=(), dtype=float16, numpy=1.0>"),
    (lambda: tf.constant([]), "tf.Tensor([], shape=(0,), dtype=float32)",
     "<tf.Tensor: shape=(0,), dtype=float32, numpy=array([], dtype=float32)>"),
    (lambda: tf.Variable(0.5), *["<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=0.5>"] * 2),
    (lambda: tf.Variable([1, 2], name="n"),
     *["<tf.Variable 'n:0' shape=(2,) dtype=int32, numpy=array([1, 2], dtype=int32)>"] * 2),
    (lambda: tf.Variable(1.0).assign(2.0), *["<tf.Variable 'UnreadVariable' shape=() dtype=float32, numpy=2.0>"] * 2),
    (lambda: tf.float32, "<dtype: 'float32'>", "tf.float32"),
    (lambda: tf.TensorShape([None, 2]), "(None, 2)", "TensorShape([None, 2])"),
    (lambda: tf.TensorShape(None), "<unknown>", "TensorShape(None)"),
    (lambda: tf.TensorSpec([None], tf.int32, "x"), *["TensorSpec(shape=(None,), dtype=tf.int32, name='x')"] * 2),
]


@pytest.mark.parametrize("make, text, shown", PRINTED)
def test_printed_form(make, text, shown):
    assert str(make()) == text
    assert repr(make()) == shown


def test_names_of_types():
    assert str(type(tf.constant(1))) == "<class 'tensorflow.python.framework.ops.EagerTensor'>"
    assert str(type(tf.Variable(1))) == "<class 'tensorflow.python.ops.resource_variable_ops.ResourceVariable'>"
    assert isinstance(tf.constant(1), tf.Tensor)
    assert isinstance(tf.Variable(1), tf.Variable)


@pytest.mark.parametrize("value, dtype", [
    (1, "int32"), (2 ** 40, "int64"), (1.5, "float32"), (True, "bool"), (1j, "complex128"), ("a", "string"),
    ([1, 2.5], "float32"), ([1, True], "int32"), (np.float64(1.5), "float64"), ([np.float64(1.5), 2], "float64"),
    ([1.5, np.float64(2)], "float32"), ([np.int64(1), 2], "int32"), (np.arange(3), "int64"), (np.arange(3.0), "float64"),
    (np.float16(1), "float16"), (np.array(["a"]), "string"), ([[]], "float32"), ([2 ** 40, 1], "int64"),
    (tf.TensorShape([2, 3]), "int32"), (range(3), "int32")])
def test_dtype_of_a_constant(value, dtype):
    assert tf.constant(value).dtype == dtype


REFUSED = [
    (lambda: tf.constant([1, "a"]), ValueError, "Can't convert Python sequence with mixed types to Tensor."),
    (lambda: tf.constant([True, 1]), ValueError, "Can't convert Python sequence with mixed types to Tensor."),
    (lambda: tf.constant([[1, 2], [3]]), ValueError, "Can't convert non-rectangular Python sequence to Tensor."),
    (lambda: tf.constant(1.5, tf.int32), TypeError, "Cannot convert 1.5 to EagerTensor of dtype int32"),
    (lambda: tf.constant("x", tf.float32), TypeError, "Cannot convert 'x' to EagerTensor of dtype float"),
    (lambda: tf.constant(1, bool), TypeError, "Cannot convert 1 to EagerTensor of dtype bool"),
    (lambda: tf.constant(None), ValueError,
     "Attempt to convert a value (None) with an unsupported type (<class 'NoneType'>) to a Tensor."),
    (lambda: tf.constant([1, 2, 3], shape=(2, 2)), TypeError, "Eager execution of tf.constant with unsupported shape."),
    (lambda: tf.constant(1.0, dtype="foo"), TypeError,
     "Cannot convert the argument `type_value`: 'foo' to a TensorFlow DType."),
    (lambda: tf.convert_to_tensor(tf.constant(1.0), tf.float64), ValueError,
     "Tensor conversion requested dtype float64 for Tensor with dtype float32"),
    (lambda: tf.constant([1.0]) + tf.constant([1]), tf.errors.InvalidArgumentError,
     "cannot compute AddV2 as input #1(zero-based) was expected to be a float tensor but is a int32 tensor [Op:AddV2]"),
    (lambda: tf.constant([1]) + 1.5, tf.errors.InvalidArgumentError,
     "cannot compute AddV2 as input #1(zero-based) was expected to be a int32 tensor but is a float tensor [Op:AddV2]"),
    (lambda: tf.ones([2, 3]) * tf.ones([2, 4]), tf.errors.InvalidArgumentError, "Incompatible shapes: [2,3] vs. [2,4] [Op:Mul]"),
    (lambda: tf.matmul(tf.ones([2, 3]), tf.ones([2, 3])), tf.errors.InvalidArgumentError,
     "Matrix size-incompatible: In[0]: [2,3], In[1]: [2,3] [Op:MatMul]"),
    (lambda: tf.reshape(tf.ones(4), [3]), tf.errors.InvalidArgumentError,
     "Input to reshape is a tensor with 4 values, but the requested shape has 3 [Op:Reshape]"),
    (lambda: tf.sqrt(4), tf.errors.InvalidArgumentError, "Value for attr 'T' of int32 is not in the list of allowed values"),
    (lambda: tf.ones(2)[5], tf.errors.InvalidArgumentError, "slice index 5 of dimension 0 out of bounds."),
    (lambda: tf.ones(2)[tf.constant([0, 1])], TypeError, "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis"),
    (lambda: tf.gather([1, 2], [5]), tf.errors.InvalidArgumentError, "indices[0] = 5 is not in [0, 2)"),
    (lambda: tf.reduce_sum(tf.ones(2), axis=2), tf.errors.InvalidArgumentError,
     "Invalid reduction dimension (2 for input with 1 dimension(s)"),
    (lambda: tf.concat([tf.ones([2, 2]), tf.ones([2, 3])], 0), tf.errors.InvalidArgumentError,
     "Dimension 1 in both shapes must be equal"),
    (lambda: tf.constant(1) // tf.constant(0), tf.errors.InvalidArgumentError, "Integer division by zero"),
    (lambda: bool(tf.ones(2)), ValueError, "The truth value of an array with more than one element is ambiguous."),
    (lambda: len(tf.constant(1)), TypeError, "Scalar tensor has no `len()`"),
    (lambda: hash(tf.constant(1)), TypeError, "Tensor is unhashable. Instead, use tensor.ref() as the key."),
    (lambda: hash(tf.Variable(1)), TypeError, "Variable is unhashable. Instead, use variable.ref() as the key."),
    (lambda: tf.ones(2).reshape([2, 1]), AttributeError, "EagerTensor object has no attribute 'reshape'."),
    (lambda: tf.ones(2).foo, AttributeError, "'tensorflow.python.framework.ops.EagerTensor' object has no attribute 'foo'"),
    (lambda: tf.ones(2).__setitem__(0, 1.0), TypeError, "object does not support item assignment"),
    (lambda: tf.Variable([1.0, 2.0]).assign([1.0]), ValueError,
     "Cannot assign value to variable ' Variable:0': Shape mismatch.The variable shape (2,), and the assigned value shape "
     "(1,) are incompatible."),
    (lambda: tf.Variable([1.0]).assign_add(1.0), tf.errors.InvalidArgumentError,
     "Cannot update variable with shape [1] using a Tensor with shape [], shapes must be equal."),
    (lambda: tf.Variable(), ValueError, "The `initial_value` arg to `tf.Variable` must be specified"),
]


@pytest.mark.parametrize("act, kind, text", REFUSED)
def test_refusal(act, kind, text):
    with pytest.raises(kind) as e:
        act()
    assert text in str(e.value).split("\n")[0]


def test_a_mixture_of_dtypes_says_how_to_fix_it():
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"fix: tf.cast\(x, tf.float32\)"):
        tf.constant(1.0) * tf.constant(2)


@pytest.mark.parametrize("compute, dtype, value", [
    (lambda: tf.constant([1, 2]) / 2, "float64", [0.5, 1.0]), (lambda: tf.constant([3]) // 2, "int32", [1]),
    (lambda: tf.constant(-7) % 3, "int32", 2), (lambda: tf.constant([1.0]) + 1, "float32", [2.0]),
    (lambda: 2 - tf.constant([1.0]), "float32", [1.0]), (lambda: 2 ** tf.constant([1.0, 2.0]), "float32", [2.0, 4.0]),
    (lambda: tf.constant([1.0, 2.0]) + np.array([1.0, 2.0]), "float32", [2.0, 4.0]),
    (lambda: np.array([1.0, 2.0]) * tf.constant([1.0, 2.0]), "float32", [1.0, 4.0]),
    (lambda: [3.0, 4.0] * tf.constant([1.0, 2.0]), "float32", [3.0, 8.0]), (lambda: -tf.constant([1]), "int32", [-1]),
    (lambda: abs(tf.constant([-1.5])), "float32", [1.5]), (lambda: ~tf.constant([True]), "bool", [False]),
    (lambda: tf.constant([True]) & tf.constant([False]), "bool", [False]), (lambda: tf.constant([6]) & 3, "int32", [2]),
    (lambda: tf.constant([1.0, 2.0]) == tf.constant([1.0, 3.0]), "bool", [True, False]),
    (lambda: tf.constant([1.0, 2.0]) == tf.constant([1.0, 2.0, 3.0]), "bool", False),
    (lambda: tf.Variable([1.0]) < 2, "bool", [True]), (lambda: tf.Variable([[1.0]]) @ [[2.0]], "float32", [[2.0]]),
    (lambda: tf.constant("a") + tf.constant("b"), "string", b"ab"), (lambda: tf.reduce_mean([1, 2, 4]), "int32", 2),
    (lambda: tf.convert_to_tensor([tf.constant(1.0), 2]), "float32", [1.0, 2.0])])
def test_operators(compute, dtype, value):
    y = compute()
    assert y.dtype == dtype
    assert y.numpy().tolist() == value if dtype != "string" else y.numpy() == value


def test_comparison_with_none():
    assert (tf.constant(1) == None) is False  # noqa: E711
    assert (tf.constant(1) != None) is True  # noqa: E711


def test_python_conversions():
    assert float(tf.constant(2.5)) == 2.5
    assert int(tf.constant(2.7)) == 2
    assert f"{tf.constant(2.5):.3f}" == "2.500"
    assert "%.2f" % tf.constant(2.5) == "2.50"  # noqa: UP031  (which is what is tested)
    assert [5, 6][tf.constant(1)] == 6
    assert [v.numpy() for v in tf.constant([1, 2])] == [1, 2]
    assert type(tf.constant(1.0).numpy()) is np.float32
    assert tuple(tf.zeros([2, 3]).shape) == (2, 3) == tf.zeros([2, 3]).shape
    assert tf.zeros([2, 3]).shape + [4] == [2, 3, 4]


def test_numpy_gives_a_copy():
    x = tf.constant([1.0, 2.0])
    x.numpy()[0] = 9
    assert x.numpy()[0] == 1
    a = np.ones(2, "f")
    y = tf.constant(a)
    a[0] = 5
    assert y.numpy()[0] == 1


def test_copies_and_pickles():
    x = tf.constant([1.0, 2.0])
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert repr(y) == repr(x)
    v = tf.Variable([1.0], name="v", trainable=False)
    w = copy.deepcopy(v)
    w.assign([2.0])
    assert v.numpy() == 1
    assert pickle.loads(pickle.dumps(v)).trainable is False


def test_variables():
    v = tf.Variable([1.0, 2.0])
    before = v.read_value()
    v.assign_add([1.0, 1.0])
    v[0].assign(7.0)
    assert v.numpy().tolist() == [7.0, 3.0]
    assert before.numpy().tolist() == [1.0, 2.0]
    assert v.assign(v * 2).assign_sub([1.0, 1.0]).numpy().tolist() == [13.0, 5.0]
    v.scatter_nd_update([[1]], [0.0])
    assert v.numpy().tolist() == [13.0, 0.0]
    assert v.ref() == v.ref() != tf.Variable(1.0).ref()
    with pytest.raises(RuntimeError, match="Use `variable.assign_add"):
        v += 1


def test_dtypes_equal_their_names():
    assert tf.float32 == "float32" == tf.as_dtype(np.float32)
    assert tf.float32 != tf.float64
    assert {tf.int32: 1}[tf.int32] == 1
    assert tf.int8.max == 127
    assert tf.float16.is_floating
    assert tf.half is tf.float16


def test_shapes():
    s = tf.TensorShape([None, 3])
    assert s.as_list() == [None, 3]
    assert s.is_compatible_with([2, 3])
    assert not s.is_compatible_with([2, 4])
    assert s.merge_with([2, 3]) == [2, 3]
    assert s.rank == 2 and not s.is_fully_defined()
    with pytest.raises(ValueError, match="must have rank 3"):
        s.with_rank(3)
