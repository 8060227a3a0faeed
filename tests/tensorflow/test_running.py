"""tf.function, loops, tf.print, assertions, strings, modules, devices. Expected texts are TensorFlow 2.21's."""
import io
import sys
import threading

import numpy as np
import pytest

import kobai.compat.tensorflow as tf


def printed(*values, **kwargs):
    out = io.StringIO()
    tf.print(*values, output_stream=out, **kwargs)
    return out.getvalue()


@pytest.mark.parametrize("values, text", [
    ([tf.constant(1.0)], "1\n"), ([tf.constant([1.0, 2.5, 3.14159265])], "[1 2.5 3.14159274]\n"),
    (["a", tf.constant(2), "b"], "a 2 b\n"), ([{"b": [tf.constant(2.0)], "a": tf.constant(1)}], "{'a': 1, 'b': [2]}\n"),
    ([tf.constant([[1, 2], [3, 4]])], "[[1 2]\n [3 4]]\n"), ([tf.range(20)], "[0 1 2 ... 17 18 19]\n"),
    ([tf.ones([2, 2, 2])], "[[[1 1]\n  [1 1]]\n\n [[1 1]\n  [1 1]]]\n"), ([tf.constant("hi")], '"hi"\n'),
    ([tf.constant([True, False])], "[1 0]\n"), ([tf.constant(1e10), tf.constant(123456789.0)], "1e+10 123456792\n"),
    ([tf.constant(0.1, tf.float64), tf.constant(1 / 3)], "0.1 0.333333343\n"), ([1.5, None, [1.5, "a"]], "1.5 None [1.5, 'a']\n"),
    ([tf.constant(float("nan")), tf.constant(-float("inf"))], "nan -inf\n"), ([np.array([1, 2])], "array([1, 2])\n"),
    ([tf.Variable(3.0)], "3\n"), ([tf.constant([1.0]).shape, tf.float32], "TensorShape([1]) tf.float32\n")])
def test_print(values, text):
    assert printed(*values) == text


def test_print_options():
    assert printed(tf.constant(1), tf.constant(2), sep=", ", end="!") == "1, 2!"
    assert printed(tf.range(8), summarize=-1) == "[0 1 2 3 4 5 6 7]\n"
    with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
        printed(1, foo=2)


def test_function():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def double(x):
        return x * 2
    assert double([1.0, 2.0]).numpy().tolist() == [2.0, 4.0]
    with pytest.raises(TypeError, match="Can not cast"):
        double([[1.0]])

    class Holder:
        @tf.function
        def add(self, x):
            return x + 1
    assert Holder().add(3).numpy() == 4
    assert tf.function(lambda x: x)(np.ones(2)).dtype == tf.float64


def test_branches_and_loops():
    assert tf.cond(tf.constant(True), lambda: 1, lambda: 2) == 1  # what the branch returns, as it is
    assert tf.while_loop(lambda i: i < 3, lambda i: [i + 1], [tf.constant(0)])[0].numpy() == 3
    i, s = tf.while_loop(lambda i, s: i < 4, lambda i, s: (i + 1, s + i), (0, 0))
    assert (i.numpy(), s.numpy()) == (4, 6)
    assert tf.map_fn(lambda x: x * 2, tf.constant([1, 2])).numpy().tolist() == [2, 4]
    assert tf.scan(lambda a, x: a + x, tf.constant([1, 2, 3])).numpy().tolist() == [1, 3, 6]
    assert tf.foldl(lambda a, x: a - x, tf.constant([1, 2, 3]), 10).numpy() == 4
    assert tf.vectorized_map(lambda x: x * x, tf.constant([1.0, 2.0])).numpy().tolist() == [1.0, 4.0]
    assert tf.switch_case(tf.constant(1), [lambda: 5, lambda: 6]) == 6
    assert tf.case([(tf.constant(False), lambda: 1)], default=lambda: 2) == 2


def test_tensor_array():
    ta = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    for i in range(3):
        ta = ta.write(i, float(i))
    assert ta.stack().numpy().tolist() == [0.0, 1.0, 2.0]
    assert ta.size().numpy() == 3
    with pytest.raises(tf.errors.OutOfRangeError, match="array is not resizeable"):
        tf.TensorArray(tf.float32, size=1).write(3, 1.0)


@pytest.mark.parametrize("check, kind, text", [
    (lambda d: d.assert_equal(1, 2), "InvalidArgumentError", "Condition x == y did not hold.\nFirst 1 elements of x:\n[1]"),
    (lambda d: d.assert_equal([1, 2], [1, 3], "msg"), "InvalidArgumentError",
     "msg\nCondition x == y did not hold.\nIndices of first 1 different values:\n[[1]]\nCorresponding x values:\n[2]"),
    (lambda d: d.assert_greater(1, 2), "InvalidArgumentError", "Condition x > y did not hold."),
    (lambda d: d.assert_positive([1, -1]), "InvalidArgumentError",
     "\nCondition x > 0 did not hold element-wise:\nx (shape=(2,) dtype=int32) = \n['1', '-1']"),
    (lambda d: d.assert_near(1.0, 1.1), "InvalidArgumentError", "Expected 'tf.Tensor(False, shape=(), dtype=bool)' to be true."),
    (lambda d: d.assert_rank([1], 2), "ValueError", "Tensor  must have rank 2.  Received rank 1, shape (1,)"),
    (lambda d: d.assert_shapes([(tf.ones(2), ("N",)), (tf.ones(3), ("N",))]), "ValueError", "must have size 2.  Received size 3"),
    (lambda d: d.check_numerics([float("nan")], "bad"), "InvalidArgumentError", "bad : Tensor had NaN values"),
    (lambda d: d.assert_type(tf.constant(1), tf.float32), "TypeError", "tensor must be of type tf.float32; got tf.int32")])
def test_assertions(check, kind, text):
    with pytest.raises(Exception) as e:
        check(tf.debugging)
    assert type(e.value).__name__ == kind
    assert text in str(e.value)


def test_assertions_that_hold():
    d = tf.debugging
    for held in (d.assert_equal([1], [1]), d.assert_less(1, 2), d.assert_near(1.0, 1.0), d.assert_rank([1], 1)):
        assert held is None


def test_strings():
    s = tf.strings
    assert s.join(["a", "b"], "-").numpy() == b"a-b"
    assert s.length(["abc", "d"]).numpy().tolist() == [3, 1]
    assert s.upper("abc").numpy() == b"ABC"
    assert s.split("a b c").numpy().tolist() == [b"a", b"b", b"c"]
    assert s.as_string([1.5, 2]).numpy().tolist() == [b"1.500000", b"2.000000"]
    assert s.to_number(["1.5"]).numpy().tolist() == [1.5]
    assert s.format("x={} y={}", (tf.constant([1, 2]), tf.constant(3))).numpy() == b"x=[1 2] y=3"
    assert s.regex_replace("hello", "l+", "L").numpy() == b"heLo"
    assert s.substr("hello", 1, 3).numpy() == b"ell"


def test_modules_find_their_variables():
    class Inner(tf.Module):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.b = tf.Variable(1.0, name="b")
            self.a = tf.Variable([2.0], trainable=False)
            self.many = [tf.Variable(5.0)]

    class Outer(tf.Module):
        def __init__(self):
            super().__init__()
            self.z, self.q, self.d = Inner(), tf.Variable(0.0, name="q"), {"k": Inner("foo")}
    m = Outer()
    assert [v.name for v in m.variables] == ["q:0", "Variable:0", "b:0", "Variable:0", "Variable:0", "b:0", "Variable:0"]
    assert len(m.trainable_variables) == 5
    assert m.submodules == (m.d["k"], m.z)
    assert (m.name, m.d["k"].name) == ("outer", "foo")


def test_nest():
    assert tf.nest.flatten({"b": 1, "a": [2, 3]}) == [2, 3, 1]
    assert tf.nest.map_structure(lambda a, b: a + b, {"x": 1}, {"x": 2}) == {"x": 3}
    with pytest.raises(ValueError, match="same nested structure"):
        tf.nest.map_structure(max, [1, 2], [1])


def test_devices_and_modes():
    assert tf.config.list_physical_devices("GPU") == []
    assert str(tf.config.list_physical_devices("CPU")) == "[PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')]"
    assert tf.executing_eagerly()
    with tf.device("/GPU:0"), tf.name_scope("x") as scope:
        assert tf.constant(1.0).device == "/job:localhost/replica:0/task:0/device:CPU:0"
        assert scope == "x/"
    with pytest.raises(RuntimeError, match="Use tf.GradientTape instead"):
        tf.gradients(tf.constant(1.0), tf.constant(1.0))


@pytest.mark.parametrize("module, name, near", [
    (tf, "reduce_summ", "reduce_sum"), (tf.nn, "reluu", "relu"), (tf.keras.layers, "LSTMM", "LSTM"),
    (tf.keras.optimizers, "Adams", "Adam"), (tf.data, "Datasett", "Dataset")])
def test_missing_names_say_so(module, name, near):
    with pytest.raises(AttributeError) as e:
        getattr(module, name)
    assert f"has no attribute '{name}'" in str(e.value)
    assert near in str(e.value)
    assert not hasattr(module, "surely_not_there")


def test_a_function_prints_where_tensorflow_traces(capsys):
    """The text of the guide to tf.function; what is printed there are placeholders."""
    @tf.function
    def double(a):
        print("Tracing with", a)
        tf.print("running", output_stream=sys.stdout)
        return a + a

    assert double(tf.constant(1)).numpy() == 2
    assert double(tf.constant(2)).numpy() == 4
    assert double(tf.constant(1.5)).numpy() == 3
    assert capsys.readouterr().out == ('Tracing with Tensor("a:0", shape=(), dtype=int32)\nrunning\nrunning\n'
                                       'Tracing with Tensor("a:0", shape=(), dtype=float32)\nrunning\n')
    assert double.experimental_get_tracing_count() == 2


def test_only_the_thread_of_the_function_is_silent(capsys):
    @tf.function
    def f():
        thread = threading.Thread(target=print, args=("other",))
        thread.start()
        thread.join()
        print("own")

    f()
    f()
    assert capsys.readouterr().out == "other\nown\nother\n"


def test_inside_a_function_tensorflow_does_not_run_eagerly():
    inside = tf.function(lambda: tf.constant(tf.executing_eagerly()))
    assert tf.executing_eagerly() and not inside().numpy()
    tf.config.run_functions_eagerly(True)
    try:
        assert inside().numpy() and tf.config.functions_run_eagerly()
    finally:
        tf.config.run_functions_eagerly(False)


def test_gradients_by_arguments_of_a_function():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.function(lambda v: v * v)(x)
    assert tape.gradient(y, x).numpy() == 6


def test_functions_that_overlap_in_threads_leave_the_output_open(capsys):
    inside, done = threading.Event(), threading.Event()

    @tf.function
    def first():
        print("first")
        inside.set()
        done.wait(10)

    @tf.function
    def second():
        print("second")

    done.set()
    first()
    second()
    inside.clear()
    done.clear()
    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(10)
    kept = sys.stdout
    second()
    done.set()
    thread.join()
    print("afterwards", file=kept)
    print("and again")
    assert capsys.readouterr().out.replace("second\n", "") == "first\nafterwards\nand again\n"
    assert not hasattr(sys.stdout, "original")
