"""Common mistakes with TensorFlow and Keras: what kobai says, in both languages.

First lines and types are those of TensorFlow 2.21 with Keras 3.15.
"""
import pytest

import kobai.compat.tensorflow as tf
from kobai.compat.tensorflow import keras

INVALID = tf.errors.InvalidArgumentError


def op(name, text, tail=" name: ", inputs=0):
    """A message as TensorFlow's kernels write it."""
    node = f"{name}_N_{inputs}" if inputs else name
    return (f"{{{{function_node __wrapped__{node}_device_/job:localhost/replica:0/task:0/device:CPU:0}}}} {text} "
            f"[Op:{name}]{tail}")


def assign_item():
    tf.ones(2)[0] = 1.0


def add_in_place():
    v = tf.Variable(1.0)
    v += 1.0


def gradient_twice():
    x = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    tape.gradient(y, x)


def gradient_of_an_array():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = (x * x).numpy()
    tape.gradient(y, x)


def fit_with_too_many_labels():
    model = keras.Sequential([keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(tf.ones([2, 2]), tf.ones([3, 2]))


MISTAKES = [  # call, type, first line, code, a piece of the cause, of the fix, of the Japanese text
    (lambda: tf.constant(1.0) * tf.constant(2), INVALID,
     "cannot compute Mul as input #1(zero-based) was expected to be a float tensor but is a int32 tensor [Op:Mul] name: ",
     "K418", "input 1 has dtype int32 and input 0 has dtype float32; TensorFlow never converts", "tf.cast(x, tf.float32)",
     "TensorFlow は型を自動では変換しません"),
    (lambda: tf.ones([2, 3]) + tf.ones([2, 4]), INVALID, op("AddV2", "Incompatible shapes: [2,3] vs. [2,4]"), "K413",
     "x has shape (2, 3) and y has shape (2, 4); sizes, counted from the last", "tf.expand_dims adds",
     "x の形は (2, 3)、y の形は (2, 4) ですが、最後の次元から順に"),
    (lambda: tf.matmul(tf.ones([2, 3]), tf.ones(3)), INVALID, op("MatMul", "In[1] ndims must be >= 2"), "K411",
     "b has shape (3,), 1 dimensions; needed: at least 2", "tf.linalg.matvec", "ベクトルに次元を加える"),
    (lambda: tf.ones([2, 3]) @ tf.ones([2, 3]), INVALID,
     op("MatMul", "Matrix size-incompatible: In[0]: [2,3], In[1]: [2,3]"), "K413", "the columns of the first",
     "transpose_a=True", "最初の行列の列数は、二つ目の行数と同じ"),
    (lambda: tf.reshape(tf.ones([2, 3]), [4, -1]), INVALID, op("Reshape", (
        "Input to reshape is a tensor with 6 values, but the requested shape requires a multiple of 4"), ""), "K401",
     "the tensor of shape (2, 3) has 6 elements, and the sizes [4, -1] need a multiple of 4", "whose product is 6",
     "[4, -1] には 4 の倍数が必要です"),
    (lambda: tf.ones(2)[5], INVALID,
     op("StridedSlice", "slice index 5 of dimension 0 out of bounds.", " name: strided_slice/"), "K419",
     "the index is 5, and dimension 0 has size 2", "x.shape shows the sizes", "次元 0 の大きさは 2 です"),
    (lambda: tf.ones(3)["a"], TypeError, "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar "
     "tf.int32/tf.int64 tensors are valid indices, got 'a'", "K402", "an index is of type str", "tf.gather(x, positions)",
     "添字の型は str ですが"),
    (lambda: tf.gather([1, 2], [5]), INVALID, op("GatherV2", "indices[0] = 5 is not in [0, 2)", ""), "K420",
     "indices holds 5; each of its numbers must be a whole number between 0 and 1", "tf.reduce_max(indices)",
     "0 以上 1 以下の整数"),
    (lambda: tf.sqrt(4), INVALID, "Value for attr 'T' of int32 is not in the list of allowed values: bfloat16, half, "
     "float, double, complex64, complex128", "K417", "x has dtype int32; Sqrt takes bfloat16, half", "tf.cast(x, tf.float32)",
     "Sqrt が受け取るのは bfloat16, half"),
    (lambda: tf.pow(tf.constant(2), -1), INVALID, op("Pow", "Integers to negative integer powers are not allowed"), "K424",
     "a fraction, which no integer holds", "cast to floats first", "整数では表せません"),
    (lambda: tf.reduce_sum(tf.ones(2), axis=2), INVALID,
     op("Sum", "Invalid reduction dimension (2 for input with 1 dimension(s)"), "K401", "axis is 2, and the tensor has 1",
     "axis counts from 0 on", "テンソルは 1 次元です"),
    (lambda: tf.concat([tf.ones([2, 2]), tf.ones([2, 3])], 0), INVALID, op(
        "ConcatV2", "ConcatOp : Dimension 1 in both shapes must be equal: shape[0] = [2,2] vs. shape[1] = [2,3]",
        " name: concat", 2), "K413", "values[0] has shape (2, 2) and values[1] has shape (2, 3); all sizes but",
     "look at the lines that make values[0] and values[1]", "軸 0 以外の大きさ"),
    (lambda: tf.constant([[1], [2, 3]]), ValueError, "Can't convert non-rectangular Python sequence to Tensor.", "K401",
     "rows of the value have different lengths", "tf.ragged.constant(rows)", "行の長さが違います"),
    (lambda: tf.constant(1.5, tf.int32), TypeError, "Cannot convert 1.5 to EagerTensor of dtype int32", "K401",
     "1.5 is no value of dtype int32", "leave out dtype=", "1.5 は型 int32 の値になりません"),
    (lambda: tf.cast("a", tf.int32), tf.errors.UnimplementedError, op("Cast", "Cast string to int32 is not supported"),
     "K424", "texts and numbers are not cast", "tf.strings.to_number(x)", "文字列と数は互いに cast できません"),
    (assign_item, TypeError, "'tensorflow.python.framework.ops.EagerTensor' object does not support item assignment",
     "K447", "do not change", "tf.tensor_scatter_nd_update(x, indices, updates)", "書き換えられません"),
    (lambda: bool(tf.ones(2)), ValueError, "The truth value of an array with more than one element is ambiguous. Use "
     "a.any() or a.all()", "K447", "has several elements", "tf.reduce_any(x)", "複数の要素"),
    (lambda: hash(tf.ones(2)), TypeError, "Tensor is unhashable. Instead, use tensor.ref() as the key.", "K447",
     "a key of a dict", "use x.ref()", "x.ref() をキーに"),
    (lambda: tf.Variable([1.0, 2.0]).assign([1.0]), ValueError, "Cannot assign value to variable ' Variable:0': Shape "
     "mismatch.The variable shape (2,), and the assigned value shape (1,) are incompatible.", "K412",
     "the new value has shape (1,); it must have shape (2,)", "takes any", "新しい値の形は (1,) ですが"),
    (add_in_place, RuntimeError, "`variable += value` with `tf.Variable`s is not supported. Use "
     "`variable.assign_add(value)` to modify the variable, or `out = variable + value` if you need to get a new output "
     "Tensor.", "K447", "in place of the variable", "variable.assign_add(value)", "テンソルに置き換わって"),
    (gradient_twice, RuntimeError, "A non-persistent GradientTape can only be used to compute one set of gradients (or "
     "jacobians)", "K441", "computed its gradient already", "tf.GradientTape(persistent=True)", "すでに勾配を計算しました"),
    (gradient_of_an_array, AttributeError, "'numpy.ndarray' object has no attribute '_id'", "K402",
     "of type ndarray: it left the graph", "compute it with tf functions", "グラフから離れました"),
    (lambda: tf.GradientTape().watch(1.0), ValueError, "Passed in object 1.0 of type 'float', not tf.Tensor or "
     "tf.Variable or ExtensionType.", "K402", "tensor is of type float; it must be a tensor or a variable",
     "pass a tensor or a variable", "テンソルか変数でなければなりません"),
    (lambda: tf.linalg.inv(tf.ones([2, 2])), INVALID, op("MatrixInverse", "Input is not invertible."), "K423",
     "the matrix is singular", "tf.linalg.pinv", "行列が特異です"),
    (lambda: tf.einsum("ij,jk->ik", tf.ones([2, 3]), tf.ones([2, 3])), INVALID, (
        op("Einsum", "Expected dimension 3 at axis 0 of the input shaped [2,3] but got dimension 2", inputs=2)), "K453",
     "do not fit the shapes (2, 3) (2, 3)", "the same letter only for the same size", "文字が形 (2, 3) (2, 3) に合って"),
    (lambda: tf.nn.sparse_softmax_cross_entropy_with_logits([5], tf.ones([1, 3])), INVALID, op(
        "SparseSoftmaxCrossEntropyWithLogits",
        "Received a label value of 5 which is outside the valid range of [0, 3).  Label values: 5"), "K420",
     "labels holds 5; each of its numbers must be a whole number between 0 and 2", "one output for each class",
     "最後の層の出力はクラスの数だけありますか"),
    (lambda: tf.nn.sparse_softmax_cross_entropy_with_logits([[1]], tf.ones([1, 3])), ValueError, (
        "`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: labels.shape=(1, 1) of rank 2 and "
        "logits.shape=(1, 3) of rank 2"), "K413", "labels has shape (1, 1) and logits has shape (1, 3)",
     "for one-hot labels use tf.nn.softmax", "最後の次元を除いた"),
    (lambda: tf.nn.conv2d(tf.ones([1, 4, 4, 3]), tf.ones([2, 2, 4, 1]), 1, "SAME"), INVALID,
     op("Conv2D", "input depth must be evenly divisible by filter depth: 3 vs 4"), "K413", "as many input channels",
     "[height, width, in_channels, out_channels]", "フィルターの形は [高さ, 幅"),
    (lambda: tf.data.Dataset.from_tensor_slices(([1, 2], [1, 2, 3])), ValueError, "Dimensions 2 and 3 are not compatible",
     "K451", "the first component has 2 entries and another has 3", "as many of the one", "最初の成分は 2 個"),
    (lambda: tf.TensorArray(tf.float32, 2).read(5), tf.errors.OutOfRangeError,
     "Tried to read from index 5 but array size is: 2 ", "K419", "the array has 2 elements", "write the element first",
     "配列の要素は 2 個です"),
    (lambda: tf.debugging.assert_equal(tf.constant([1, 2]), tf.constant([1, 3])), INVALID,
     "Condition x == y did not hold.", "K424", "is false for 1 of 2 pairs", "tf.debugging.assert_near", "2 組のうち 1 組"),
    (lambda: tf.image.resize(tf.ones([4, 4]), (2, 2)), ValueError, "'images' must have either 3 or 4 dimensions.", "K411",
     "images has shape (4, 4), 2 dimensions; needed: 3 or 4", "tf.expand_dims(x, -1)", "画像の形は [高さ, 幅, チャネル]"),
    # ---- Keras
    (lambda: keras.layers.Dense(-1), ValueError, "Received an invalid value for `units`, expected a positive integer. "
     "Received: units=-1", "K401", "units is -1", "a positive whole number", "正の整数"),
    (lambda: keras.optimizers.SGD(lr=0.1), ValueError, "Argument(s) not recognized: {'lr': 0.1}", "K444",
     "SGD has no argument named lr", "write learning_rate=", "learning_rate= と書いてください"),
    (fit_with_too_many_labels, ValueError, "Data cardinality is ambiguous. Make sure all arrays contain the same number of "
     "samples.'x' sizes: 2", "K451", "x has 2 entries and another array has 3", "the same number of samples",
     "サンプル数をそろえて"),
    (lambda: keras.losses.categorical_crossentropy([1, 2], [[0.5, 0.5], [0.5, 0.5]]), ValueError, (
        "Arguments `target` and `output` must have the same rank (ndim). Received: target.shape=(2,), output.shape=(2, 2)"),
     "K413", "y_true has shape (2,) and y_pred has shape (2, 2)", "sparse_categorical_crossentropy", "クラスの番号なら"),
    (lambda: keras.models.load_model("/no/such/model.keras"), ValueError, "File not found: filepath="
     "/no/such/model.keras. Please ensure the file is an accessible `.keras` zip file.", "K461", "there is no such file",
     "look at the path", "そのようなファイルはありません"),
    (lambda: keras.Input(), ValueError, "You must pass a `shape` argument.", "K404", "Input() was called without shape",
     "keras.Input(shape=(4,))", "バッチの次元は数えません"),
]


@pytest.mark.parametrize("call, kind, first, code, cause, fix, japanese", MISTAKES, ids=[m[2][-40:] for m in MISTAKES])
def test_a_mistake_is_explained_in_both_languages(call, kind, first, code, cause, fix, japanese, monkeypatch):
    said = {}
    for language in ("en", "ja"):
        monkeypatch.setenv("KOBAI_LANG", language)
        with pytest.raises(kind) as e:
            call()
        assert type(e.value) is kind and e.value.code == code
        said[language] = str(e.value)
        assert said[language].splitlines()[0] == first
    before, _, after = said["en"].partition("\n  fix: ")
    assert cause in before and fix in after and "?" not in before.partition("\n  cause: ")[2].splitlines()[0]
    assert japanese in said["ja"] and "\n  対処: " in said["ja"] and "fix:" not in said["ja"]


def test_the_message_of_an_operation_says_the_same():
    """Programs print `e.message`; TensorFlow's own errors and those of programs keep theirs."""
    with pytest.raises(INVALID) as e:
        tf.gather([1, 2], [5])
    assert e.value.message == str(e.value) and "\n  fix: " in e.value.message and "test_kinds_tensorflow.py:" in str(e.value)
    assert tf.errors.NotFoundError(None, None, "gone").message == "gone"


def test_an_error_inside_of_a_layer_keeps_its_number():
    with pytest.raises(ValueError, match="Exception encountered when calling Reshape.call") as e:
        keras.layers.Reshape((3,))(tf.ones([2, 4]))
    assert e.value.code == "K401" and "change one of the sizes" in str(e.value)


def test_many_texts_are_split_into_a_ragged_tensor():
    assert tf.strings.split(["a b", "c"]).to_list() == [[b"a", b"b"], [b"c"]]
    assert tf.strings.split([["a,b", "c"]], ",").to_list() == [[[b"a", b"b"], [b"c"]]]
