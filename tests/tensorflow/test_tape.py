"""GradientTape. Expected numbers and texts are TensorFlow 2.21's; the derivatives are also mathematics."""
import gc
import logging

import numpy as np
import pytest

import kobai.compat.tensorflow as tf


def numbers(g):
    return None if g is None else g.numpy().tolist()


@pytest.fixture
def v():
    return tf.Variable([1.0, 2.0])


def test_the_derivative_of_a_polynomial():
    x = tf.Variable(0.5)
    with tf.GradientTape() as tape:
        y = 2 * x ** 3 + 4 * x ** 2 + 5 * x + 6
    assert str(y) == "tf.Tensor(9.75, shape=(), dtype=float32)"
    assert str(tape.gradient(y, x)) == "tf.Tensor(10.5, shape=(), dtype=float32)"


def test_constants_must_be_watched(v):
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    assert tape.gradient(y, x) is None
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert numbers(tape.gradient(y, x)) == 6


def test_variables_that_are_not_trained_must_be_watched():
    w = tf.Variable(3.0, trainable=False)
    with tf.GradientTape(persistent=True) as tape:
        y = w * w
        tape.watch(w)
        z = w * w
    assert tape.gradient(y, w) is None
    assert numbers(tape.gradient(z, w)) == 6


def test_watching_by_hand_only(v):
    u = tf.Variable(3.0)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(u)
        y = v * u
    assert tape.gradient(y, [v, u])[0] is None
    assert tape.watched_variables() == (u,) or tape.watched_variables()[0] is u


def test_sources_keep_their_structure(v):
    x = tf.constant([3.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch({"a": x, "b": [v]})
        y = x * v
    g = tape.gradient({"q": y}, {"a": x, "b": (v,)})
    assert numbers(g["a"]) == [1.0, 2.0]
    assert isinstance(g["b"], tuple) and numbers(g["b"][0]) == [3.0, 4.0]


def test_several_targets_are_summed(v):
    with tf.GradientTape() as tape:
        y, z = v * v, v * 3
    assert numbers(tape.gradient([y, z], v)) == [5.0, 7.0]


def test_a_spent_tape(v):
    with tf.GradientTape() as tape:
        y = v * v
    tape.gradient(y, v)
    with pytest.raises(RuntimeError) as e:
        tape.gradient(y, v)
    assert str(e.value).split("\n")[0] == ("A non-persistent GradientTape can only be used to compute one set of gradients "
                                           "(or jacobians)")
    assert tape.watched_variables()[0] is v


def test_a_persistent_tape(v):
    with tf.GradientTape(persistent=True) as tape:
        y = v * v
        z = y * y
    assert numbers(tape.gradient(y, v)) == [2.0, 4.0]
    assert numbers(tape.gradient(z, v)) == [4.0, 32.0]
    assert numbers(tape.gradient(z, y)) == [2.0, 8.0]


def test_gradients_by_what_was_computed_on_the_way(v):
    with tf.GradientTape() as tape:
        y = v * v
        z = y * 3
    assert numbers(tape.gradient(z, y)) == [3.0, 3.0]


def test_a_read_is_a_tensor_of_its_own(v):
    with tf.GradientTape() as tape:
        y = v * v
        read = v.value()
        z = read * 2
    g = tape.gradient([y, z], {"a": v, "b": read})
    assert numbers(g["a"]) == [4.0, 6.0] and numbers(g["b"]) == [2.0, 2.0]


def test_nothing_is_recorded_outside(v):
    y = v * v
    with tf.GradientTape() as tape:
        z = y * 2
    assert tape.gradient(z, v) is None
    with tf.GradientTape() as tape:
        tape.watch(y)
        z = y * 2
    assert numbers(tape.gradient(z, y)) == [2.0, 2.0]


def test_a_tape_does_not_see_what_another_recorded(v):
    with tf.GradientTape():
        y = v * v
    with tf.GradientTape() as second:
        z = y * v
    assert numbers(second.gradient(z, v)) == [1.0, 4.0]  # y is a constant here


def test_an_inner_tape_knows_only_what_it_watched():
    x = tf.constant(3.0)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            y = x * x          # before inner watches x
            inner.watch(x)
            z = y + x
        assert numbers(inner.gradient(z, x)) == 1
    assert numbers(outer.gradient(z, x)) == 7


def test_stop_recording_and_reset(v):
    with tf.GradientTape() as tape:
        y = v * v
        with tape.stop_recording():
            z = y * 3
        w = y + z
    assert numbers(tape.gradient(w, v)) == [2.0, 4.0]
    with tf.GradientTape() as tape:
        y = v * v
        tape.reset()
        z = v * 3
    assert tape.gradient(y, v) is None
    with pytest.raises(RuntimeError, match="Trying to stop recording a tape which is not recording."), \
            tape.stop_recording():
        pass
    with tf.GradientTape() as tape:
        tape.reset()
        z = v * 3
    assert numbers(tape.gradient(z, v)) == [3.0, 3.0]


def test_a_tape_may_go_on(v):
    with tf.GradientTape() as tape:
        y = v * v
    with tape:
        z = y * 2
    assert numbers(tape.gradient(z, v)) == [4.0, 8.0]
    with tf.GradientTape() as tape, pytest.raises(ValueError, match="Tape is still recording"), tape:
        pass


def test_nested_tapes_give_higher_derivatives():
    x = tf.Variable(2.0)
    with tf.GradientTape() as t3:
        with tf.GradientTape() as t2:
            with tf.GradientTape() as t1:
                y = x ** 4
            first = t1.gradient(y, x)
        second = t2.gradient(first, x)
    assert [numbers(g) for g in (first, second, t3.gradient(second, x))] == [32.0, 48.0, 48.0]


def test_a_gradient_inside_a_persistent_tape_is_recorded(v, caplog):
    with tf.GradientTape(persistent=True) as tape:
        y = v * v * v
        g = tape.gradient(y, v)
    assert numbers(tape.gradient(g, v)) == [6.0, 12.0]


def test_unconnected_gradients(v):
    x = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        y = v * v
    assert tape.gradient(y, x) is None
    for zero in ("zero", tf.UnconnectedGradients.ZERO):
        assert numbers(tape.gradient(y, x, unconnected_gradients=zero)) == [0.0, 0.0, 0.0]


def test_output_gradients(v):
    with tf.GradientTape(persistent=True) as tape:
        y = v * v
    assert numbers(tape.gradient(y, v, output_gradients=tf.constant([10.0, 1.0]))) == [20.0, 4.0]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Incompatible shapes: \[3\] vs. \[2\]"):
        tape.gradient(y, v, output_gradients=tf.ones(3))


def test_jacobian(v):
    with tf.GradientTape(persistent=True) as tape:
        y = v * v
        z = tf.stack([v[0] * v[1], v[0], v[1] ** 2])
    assert numbers(tape.jacobian(y, v)) == [[2.0, 0.0], [0.0, 4.0]]
    assert numbers(tape.jacobian(z, [v])[0]) == [[2.0, 1.0], [1.0, 0.0], [0.0, 4.0]]
    assert tape.jacobian(y, tf.constant(1.0)) is None


def test_batch_jacobian():
    x = tf.reshape(tf.range(6.0), [3, 2])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.stack([x[:, 0] * x[:, 1], x[:, 0] ** 2], 1)
    expected = [[[b, a], [2 * a, 0.0]] for a, b in x.numpy().tolist()]
    assert numbers(tape.batch_jacobian(y, x)) == expected
    with tf.GradientTape() as tape, pytest.raises(ValueError, match="must have rank at least 2"):
        tape.batch_jacobian(tf.ones(3), tf.ones(3))


def test_a_hessian_by_nested_tapes():
    w = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = w[0] ** 2 * w[1] + w[1] ** 3
        g = inner.gradient(y, w)
    assert numbers(outer.jacobian(g, w)) == [[4.0, 2.0], [2.0, 12.0]]


def test_assignments_and_reads_add_up(v):
    with tf.GradientTape() as tape:
        y = v * v
        v.assign([5.0, 5.0])
        z = v * v
    assert numbers(tape.gradient([y, z], v)) == [12.0, 14.0]


def test_a_value_assigned_has_no_history():
    x0, x1 = tf.Variable(3.0), tf.Variable(0.0)
    with tf.GradientTape() as tape:
        x1.assign_add(x0)
        y = x1 ** 2
    assert tape.gradient(y, x0) is None


@pytest.mark.parametrize("fn, zero", [(tf.sign, True), (tf.floor, False), (tf.round, False), (tf.argmax, False)])
def test_functions_without_a_gradient(fn, zero, v):
    with tf.GradientTape() as tape:
        y = fn(v)
    assert numbers(tape.gradient(y, v)) == ([0.0, 0.0] if zero else None)


def test_integers_have_no_gradient(caplog):
    x = tf.constant(10)
    logger = logging.getLogger("tensorflow")
    logger.propagate = True
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    logger.propagate = False
    assert tape.gradient(y, x) is None
    assert "The dtype of the watched tensor must be floating (e.g. tf.float32), got tf.int32" in caplog.text


@pytest.mark.parametrize("act, kind, text", [
    (lambda t, y, v: t.gradient(None, v), TypeError, "Argument `target` should be a list or nested structure of Tensors"),
    (lambda t, y, v: t.gradient(y.numpy(), v), AttributeError, "'numpy.ndarray' object has no attribute '_id'"),
    (lambda t, y, v: t.gradient(y, 3.0), AttributeError, "'float' object has no attribute 'dtype'")])
def test_bad_arguments(act, kind, text, v):
    with tf.GradientTape() as tape:
        y = v * v
    with pytest.raises(kind) as e:
        act(tape, y, v)
    assert text in str(e.value).split("\n")[0]


def test_watching_a_number():
    with tf.GradientTape() as tape, pytest.raises(ValueError, match="Passed in object 3.0 of type 'float', not tf.Tensor"):
        tape.watch(3.0)


def test_watched_variables_in_the_order_they_were_made():
    a, b = tf.Variable(1.0), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        b * a
    assert [w is x for w, x in zip(tape.watched_variables(), (a, b))] == [True, True]


def test_custom_gradient(v):
    @tf.custom_gradient
    def log1pexp(x):
        e = tf.exp(x)
        return tf.math.log(1 + e), lambda g: g * (1 - 1 / (1 + e))
    q = tf.constant(1.0)
    with tf.GradientTape() as outer:
        outer.watch(q)
        with tf.GradientTape() as inner:
            inner.watch(q)
            y = log1pexp(q)
        g = inner.gradient(y, q)
    s = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose([g, outer.gradient(g, q)], [s, s * (1 - s)], rtol=1e-6)

    @tf.custom_gradient
    def uses_a_variable(x):
        return x * v[0], lambda g, variables=None: (g * 2, [tf.constant([7.0, 7.0])])
    with tf.GradientTape() as tape:
        tape.watch(q)
        y = uses_a_variable(q)
    assert [numbers(g) for g in tape.gradient(y, [q, v])] == [2.0, [7.0, 7.0]]

    @tf.custom_gradient
    def does_not_say_so(x):
        return x * v[0], lambda g: g
    with tf.GradientTape(), pytest.raises(TypeError, match="must accept keyword argument 'variables'"):
        does_not_say_so(q)


def test_stop_gradient(v):
    with tf.GradientTape() as tape:
        y = v * tf.stop_gradient(v)
    assert numbers(tape.gradient(y, v)) == [1.0, 2.0]


def test_forward_accumulator(v):
    with tf.autodiff.ForwardAccumulator(v, tf.constant([1.0, 0.0])) as acc:
        y, z = v * v, tf.reduce_sum(v * v * v)
        unrelated = tf.constant(1.0)
    assert numbers(acc.jvp(y)) == [2.0, 0.0]
    assert numbers(acc.jvp(z)) == 3.0
    assert acc.jvp(unrelated) is None
    assert numbers(acc.jvp(unrelated, unconnected_gradients="zero")) == 0.0
    assert numbers(v * 2) == [2.0, 4.0]


def test_forward_over_backward_and_over_forward():
    x = tf.constant([1.0, 2.0])
    with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 0.0])) as acc:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(x ** 3 * x[::-1])
        g = tape.gradient(y, x)
    assert numbers(acc.jvp(g)) == [12.0, 15.0]  # the first column of the Hessian
    s = tf.constant(3.0)
    with tf.autodiff.ForwardAccumulator(s, tf.constant(1.0)) as outer:
        with tf.autodiff.ForwardAccumulator(s, tf.constant(1.0)) as inner:
            y = s ** 4
        first = inner.jvp(y)
    assert [numbers(t) for t in (first, outer.jvp(first), outer.jvp(y))] == [108.0, 108.0, 108.0]


def test_control_flow_follows_the_value():
    a, b = tf.Variable(2.0), tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        y = a if tf.constant(1.0) > 0 else b ** 2
    assert numbers(tape.gradient(y, a)) == 1.0
    assert tape.gradient(y, b) is None


def test_steps_are_not_chained_together():
    """A value carried from step to step must not keep the steps before alive."""
    w, total = tf.Variable(1.0), tf.constant(0.0)
    for _ in range(50):
        with tf.GradientTape() as tape:
            total = total + w
        assert numbers(tape.gradient(total, w)) == 1.0
    node, length = total._t._node, 0
    while node is not None and hasattr(node, "edges"):
        length += 1
        node = next((e for e in node.edges if hasattr(e, "edges")), None)
    assert length <= 2


def test_a_tape_makes_no_reference_cycles():
    w = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = w * w
    tape.gradient(y, w)
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(20):
            with tf.GradientTape() as tape:
                y = tf.sin(w * w)
            tape.gradient(y, w)
        del tape, y
        assert len(gc.get_objects()) - before < 20
    finally:
        gc.enable()


def test_torch_and_tape_share_a_program():
    import kobai
    t = kobai.tensor(2.0, requires_grad=True)
    v = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = v * v
    assert numbers(tape.gradient(y, v)) == 6.0
    (t * t).backward()
    assert t.grad.item() == 4.0


def test_compute_gradient():
    """Two Jacobians, a row for each element of the result."""
    x, y = tf.constant([1.0, 2.0]), tf.constant([1.0, 2.0, 3.0])
    by_tape, by_differences = tf.test.compute_gradient(lambda x, y: tf.einsum("i,j->ij", x * x, y)[:, :2], [x, y])
    assert by_tape[0].tolist() == [[2, 0], [4, 0], [0, 4], [0, 8]]
    assert by_tape[1].tolist() == [[1, 0, 0], [0, 1, 0], [4, 0, 0], [0, 4, 0]]
    for a, b in zip(by_tape, by_differences):
        np.testing.assert_allclose(b, a, atol=1e-2)


def test_what_gradient_cannot_take():
    x = tf.Variable(1.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
    with pytest.raises(TypeError, match="Cannot convert the argument `type_value`: 'a' to a TensorFlow DType"):
        tape.gradient(y, "a")
    with pytest.raises(ValueError, match="Unknown value for unconnected_gradients: 'foo'"):
        tape.gradient(y, x, unconnected_gradients="foo")


def test_forward_over_backward_of_a_variable():
    """The tape watches a variable that carries a tangent, too: TensorFlow's Hessian-vector product."""
    v = tf.Variable([1.0, 2.0])
    with tf.autodiff.ForwardAccumulator(v, tf.constant([1.0, 0.0])) as acc:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(v ** 3) * v[0]
        g = tape.gradient(loss, v)
    assert numbers(g) == [12.0, 12.0] and numbers(acc.jvp(g)) == [12.0, 12.0] and numbers(acc.jvp(loss)) == 12.0
    layer = tf.keras.layers.Dense(1, kernel_initializer="ones")
    x = tf.constant([[2.0, 3.0], [1.0, 4.0]])
    layer(x)
    with tf.autodiff.ForwardAccumulator(layer.kernel, tf.constant([[1.0], [0.0]])) as acc:
        loss = tf.reduce_sum((layer(x) - 1.0) ** 2.0)
    assert numbers(acc.jvp(loss)) == 24.0


def test_loops_return_what_their_bodies_return():
    assert tf.while_loop(lambda i: i < 3, lambda i: (i + 1,), [tf.constant(0)])[0].numpy() == 3
    i, s = tf.while_loop(lambda i, s: i < 3, lambda i, s: [i + 1, s + i], [0, 0.0])
    assert (i.numpy(), s.numpy(), s.dtype) == (3, 3.0, tf.float32)
