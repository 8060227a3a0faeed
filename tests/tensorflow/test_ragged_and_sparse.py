"""Rows of different lengths, and sparse tensors. Expected texts and numbers are TensorFlow 2.21's."""
import numpy as np
import pytest

import kobai.compat.tensorflow as tf


@pytest.fixture
def rt():
    return tf.ragged.constant([[1, 2, 3], [], [4, 5]])


def shown(rt):
    return repr(rt).removeprefix("<tf.RaggedTensor ").removesuffix(">")


ROWS = {
    "itself": (lambda r: r, "[[1, 2, 3], [], [4, 5]]"), "plus": (lambda r: r + 1, "[[2, 3, 4], [], [5, 6]]"),
    "minus": (lambda r: 10 - r, "[[9, 8, 7], [], [6, 5]]"), "product": (lambda r: r * r, "[[1, 4, 9], [], [16, 25]]"),
    "compared": (lambda r: r > 2, "[[False, False, True], [], [True, True]]"), "negative": (lambda r: -r, "[[-1, -2, -3], [], [-4, -5]]"),
    "floats": (lambda r: tf.sqrt(tf.cast(r, tf.float32)), "[[1.0, 1.4142135, 1.7320508], [], [2.0, 2.236068]]"),
    "where": (lambda r: tf.where(r > 2, r, r * 0), "[[0, 0, 3], [], [4, 5]]"), "slice": (lambda r: r[1:], "[[], [4, 5]]"),
    "inside": (lambda r: r[:, :1], "[[1], [], [4]]"), "behind": (lambda r: r[:, 1:], "[[2, 3], [], [5]]"),
    "gather": (lambda r: tf.gather(r, [2, 0]), "[[4, 5], [1, 2, 3]]"),
    "beside": (lambda r: tf.concat([r, r], axis=1), "[[1, 2, 3, 1, 2, 3], [], [4, 5, 4, 5]]"),
    "below": (lambda r: tf.concat([r, r], axis=0), "[[1, 2, 3], [], [4, 5], [1, 2, 3], [], [4, 5]]"),
    "lengths": (lambda r: tf.RaggedTensor.from_row_lengths([1, 2, 3], [2, 1]), "[[1, 2], [3]]"),
    "splits": (lambda r: tf.RaggedTensor.from_row_splits([3, 1, 4, 1], [0, 2, 4]), "[[3, 1],\n [4, 1]]"),
    "rows": (lambda r: tf.RaggedTensor.from_value_rowids([3, 1, 4], [0, 0, 2]), "[[3, 1], [], [4]]"),
    "padded": (lambda r: tf.RaggedTensor.from_tensor([[1, 0, 0], [2, 3, 0]], padding=0), "[[1], [2, 3]]"),
    "sparse": (lambda r: tf.RaggedTensor.from_sparse(tf.sparse.from_dense([[1, 2, 0], [3, 0, 0]])), "[[1, 2], [3]]"),
    "range": (lambda r: tf.ragged.range([2, 0, 3]), "[[0, 1], [], [0, 1, 2]]"),
    "values": (lambda r: tf.ragged.map_flat_values(tf.square, r), "[[1, 4, 9], [], [16, 25]]"),
    "texts": (lambda r: tf.ragged.constant([["a", "bc"], ["d"]]), "[[b'a', b'bc'], [b'd']]"),
    "deeper": (lambda r: tf.ragged.constant([[[1], [2, 3]], [[4]]]), "[[[1], [2, 3]], [[4]]]"),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows(rt, name):
    make, text = ROWS[name]
    assert shown(make(rt)) == text


def test_reductions(rt):
    floats = tf.cast(rt, tf.float32)
    assert tf.reduce_sum(rt, axis=1).numpy().tolist() == [6, 0, 9]
    assert tf.reduce_sum(rt, axis=0).numpy().tolist() == [5, 7, 3]
    assert tf.reduce_max(rt, axis=1).numpy().tolist() == [3, -2147483648, 5]
    assert int(tf.reduce_sum(rt)) == 15
    assert np.array_equal(tf.reduce_mean(floats, axis=1).numpy(), [2.0, np.nan, 4.5], equal_nan=True)


def test_what_it_is(rt):
    assert (str(rt.shape), rt.dtype, rt.ragged_rank, len(rt.to_list())) == ("(3, None)", tf.int32, 1, 3)
    assert [v.numpy().tolist() for v in (rt.row_lengths(), rt.row_splits, rt.value_rowids(), rt.row_starts(), rt.bounding_shape())] == \
        [[3, 0, 2], [0, 3, 3, 5], [0, 0, 0, 2, 2], [0, 3, 3], [3, 3]]
    assert rt.to_tensor().numpy().tolist() == [[1, 2, 3], [0, 0, 0], [4, 5, 0]]
    assert rt.to_tensor(default_value=-1, shape=[None, 2]).numpy().tolist() == [[1, 2], [-1, -1], [4, 5]]
    deep = tf.ragged.constant([[[1], [2, 3]], [[4]]])
    assert (str(deep.shape), deep.ragged_rank, shown(deep.row_lengths(axis=2))) == ("(2, None, None)", 2, "[[1, 2], [1]]")
    assert [row.numpy().tolist() for row in rt] == [[1, 2, 3], [], [4, 5]]
    assert int(rt[2, 1]) == 5
    assert str(tf.expand_dims(rt, 0).shape) == "(1, 3, None)"


def test_gradients_go_through():
    v = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(v)
        rows = tf.RaggedTensor.from_row_lengths(v, [2, 1])
        y = tf.reduce_sum(tf.reduce_sum(rows ** 2, axis=1))
    assert tape.gradient(y, v).numpy().tolist() == [2.0, 4.0, 6.0]


def test_mistakes(rt):
    with pytest.raises(tf.errors.InvalidArgumentError, match="dimension size mismatch"):
        rt + tf.ragged.constant([[1], [2, 3], [4]])
    with pytest.raises(ValueError, match="Cannot index into an inner ragged dimension"):
        rt[:, 0]
    with pytest.raises(AttributeError, match="kobai does not have tensorflow.ragged.cross"):
        tf.ragged.cross


@pytest.fixture
def sp():
    return tf.sparse.SparseTensor(indices=[[0, 1], [2, 0]], values=[3.0, 4.0], dense_shape=[3, 3])


def test_sparse_printed_form(sp):
    assert str(sp) == ("SparseTensor(indices=tf.Tensor(\n[[0 1]\n [2 0]], shape=(2, 2), dtype=int64), values=tf.Tensor([3. 4.], "
                       "shape=(2,), dtype=float32), dense_shape=tf.Tensor([3 3], shape=(2,), dtype=int64))")


def test_sparse_is_what_the_dense_one_is(sp):
    dense = np.array([[0, 3, 0], [0, 0, 0], [4, 0, 0]], "f")
    results = {
        "dense": (tf.sparse.to_dense(sp), dense), "product": (tf.sparse.sparse_dense_matmul(sp, tf.ones((3, 2))), dense @ np.ones((3, 2))),
        "turned": (tf.sparse.sparse_dense_matmul(sp, tf.ones((3, 2)), adjoint_a=True), dense.T @ np.ones((3, 2))),
        "sum": (tf.sparse.reduce_sum(sp, 1), [3, 0, 4]), "added": (tf.sparse.to_dense(tf.sparse.add(sp, sp)), 2 * dense),
        "mixed": (tf.sparse.add(sp, tf.ones((3, 3))), dense + 1), "times": (tf.sparse.to_dense(sp * 2.0), 2 * dense),
        "T": (tf.sparse.to_dense(tf.sparse.transpose(sp)), dense.T), "reshape": (tf.sparse.reshape(sp, [1, -1]).indices, [[0, 1], [0, 6]]),
        "slice": (tf.sparse.to_dense(tf.sparse.slice(sp, [0, 0], [2, 2])), dense[:2, :2]),
        "concat": (tf.sparse.to_dense(tf.sparse.concat(1, [sp, sp])), np.concatenate([dense, dense], 1)),
        "retain": (tf.sparse.retain(sp, [True, False]).values, [3]), "eye": (tf.sparse.to_dense(tf.sparse.eye(2)), np.eye(2)),
        "order": (tf.sparse.reorder(tf.sparse.SparseTensor([[1, 0], [0, 1]], [1.0, 2.0], [2, 2])).values, [2, 1]),
        "default": (tf.sparse.to_dense(sp, 9.0), np.where(dense == 0, 9, dense)),
    }
    for name, (got, expected) in results.items():
        assert np.array_equal(got.numpy(), expected), name


def test_sparse_gradients(sp):
    d, v = tf.ones((3, 2)), tf.constant([3.0, 4.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([d, v])
        y = tf.reduce_sum(tf.sparse.sparse_dense_matmul(sp.with_values(v), d) ** 2)
    assert tape.gradient(y, d).numpy().tolist() == [[32.0, 32.0], [18.0, 18.0], [0.0, 0.0]]
    assert tape.gradient(y, v).numpy().tolist() == [12.0, 16.0]


def test_characters_of_several_texts():
    """TensorFlow's text-generation tutorial begins with these lines."""
    chars = tf.strings.unicode_split(["abcdefg", "xyz"], input_encoding="UTF-8")
    assert chars.to_list() == [[b"a", b"b", b"c", b"d", b"e", b"f", b"g"], [b"x", b"y", b"z"]]
    vocabulary = sorted(set("axyz"))
    ids = tf.keras.layers.StringLookup(vocabulary=vocabulary, mask_token=None)(chars)
    assert ids.to_list() == [[1, 0, 0, 0, 0, 0, 0], [2, 3, 4]]
    back = tf.keras.layers.StringLookup(vocabulary=vocabulary, invert=True, mask_token=None)(ids[1:])
    assert tf.strings.reduce_join(back, axis=-1).numpy().tolist() == [b"xyz"]
    assert tf.strings.unicode_split("né", "UTF-8").numpy().tolist() == [b"n", "é".encode()]
    assert tf.strings.unicode_encode(tf.strings.unicode_decode(["né", "ab"], "UTF-8"), "UTF-8").numpy().tolist() == [
        "né".encode(), b"ab"]


def test_rows_that_are_tiled_mapped_and_counted():
    digits = tf.ragged.constant([[3, 1], [], [5]])
    assert tf.tile(digits, [1, 2]).to_list() == [[3, 1, 3, 1], [], [5, 5]]
    assert tf.tile(digits, [2, 1]).to_list() == [[3, 1], [], [5]] * 2
    assert tf.map_fn(tf.math.square, digits).to_list() == [[9, 1], [], [25]]
    assert int(tf.size(digits)) == 3
    words = tf.ragged.constant([["So", "long"], ["thanks"]])
    assert tf.strings.substr(words, 0, 2).to_list() == [[b"So", b"lo"], [b"th"]]


def test_ragged_elements_of_a_dataset():
    data = tf.data.Dataset.from_tensor_slices(["a b", "c"]).batch(2).map(tf.strings.split)
    assert [v.to_list() for v in data] == [[[b"a", b"b"], [b"c"]]]
    last = tf.data.Dataset.from_tensors("1,x").map(lambda line: tf.strings.split(line, ",")[-1])
    assert [str(v) for v in last] == ["tf.Tensor(b'x', shape=(), dtype=string)"]
