"""Hooks on tensors, nodes and saved values."""
import pytest

import kobai
from kobai.autograd.graph import (
    allow_mutation_on_saved_tensors,
    disable_saved_tensors_hooks,
    register_multi_grad_hook,
    saved_tensors_hooks,
)


def leaf(*values):
    return kobai.tensor(values, requires_grad=True)


def test_hooks_run_in_order_and_each_sees_what_the_last_returned():
    x, seen = leaf(1.0, 2.0), []
    y = x * 2
    y.register_hook(lambda g: seen.append(g.tolist()) or g * 10)
    y.register_hook(lambda g: seen.append(g.tolist()))
    removed = y.register_hook(lambda g: g * 1000)
    removed.remove()
    x.register_hook(lambda g: seen.append(g.tolist()) or g + 1)
    y.sum().backward()
    assert seen == [[1, 1], [10, 10], [20, 20]]
    assert x.grad.tolist() == [21, 21]


def test_hooks_of_leaves_run_in_the_order_of_arrival():
    """A post-accumulate hook that steps and frees sees the last layer first, as in PyTorch."""
    w1, w2, order = leaf(2.0), leaf(3.0), []
    w1.register_post_accumulate_grad_hook(lambda t: order.append("w1"))
    w2.register_post_accumulate_grad_hook(lambda t: order.append("w2"))
    (w2 * (w1 * 5)).backward()
    assert order == ["w2", "w1"]


@pytest.mark.parametrize("new, error, message", [
    (3, TypeError, "expected Variable, but hook returned 'int'"),
    (kobai.ones(3), RuntimeError, "hook 'hook' has changed the size of value"),
    (kobai.ones(2).double(), RuntimeError,
     "hook 'hook' has changed the type of value (was torch.FloatTensor got torch.DoubleTensor)")])
def test_what_a_hook_may_not_return(new, error, message):
    def hook(g):
        return new
    y = leaf(1.0, 2.0) * 2
    y.register_hook(hook)
    with pytest.raises(error) as e:
        y.sum().backward()
    assert str(e.value).startswith(message)


def test_prehook_of_accumulate_grad_replaces_the_gradient():
    x = leaf(1.0)
    y = x * 3
    x_end = y.grad_fn.next_functions[0][0]
    x_end.register_prehook(lambda gs: (gs[0] * 2,))
    y.backward()
    assert x.grad.tolist() == [6.0]


def test_multi_grad_hook_counts_what_this_pass_comes_to():
    x, seen = leaf(1.0), []
    a, b, c = x * 2, x * 3, x * 4
    with register_multi_grad_hook((a, b, c), lambda gs: seen.append([g and g.tolist() for g in gs])):
        (a + b + c).backward(retain_graph=True)
        (a + c).backward(retain_graph=True)
        (a + b + c).backward(inputs=[b], retain_graph=True)
    (a + b + c).backward()
    assert seen == [[[1.0], [1.0], [1.0]], [[1.0], None, [1.0]], [None, [1.0], None]]


def test_multi_grad_hook_for_any():
    x, seen = leaf(1.0), []
    a, b = x * 2, x * 3
    register_multi_grad_hook([a, b], lambda g: seen.append(g.tolist()), mode="any")
    for _ in range(2):
        (a + b).backward(retain_graph=True)
    assert seen == [[1.0], [1.0]]


def test_saved_values_pass_the_innermost_hooks():
    x, log = leaf(2.0), []
    with saved_tensors_hooks(lambda t: log.append("outer") or t, lambda t: t):
        with saved_tensors_hooks(lambda t: log.append("inner") or t * 10, lambda t: t):
            y = x ** 2
        z = x.exp()
    y.backward()
    assert x.grad.tolist() == [40.0]
    assert log == ["inner", "outer"]
    z.backward()


def test_saved_hooks_may_be_forbidden():
    with disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match="not here"):
        with saved_tensors_hooks(lambda t: t, lambda t: t):
            pass
    with saved_tensors_hooks(lambda t: t, lambda t: t), pytest.raises(RuntimeError, match="not here"):
        with disable_saved_tensors_hooks("not here"):
            pass


def test_an_unpack_hook_must_give_a_tensor():
    with saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = leaf(1.0).exp()
    with pytest.raises(TypeError, match="Output of saved tensor unpack_hook expected to be a Tensor but got result of "
                                        "type int"):
        y.backward()


def test_saved_values_may_change_where_that_is_allowed():
    """PyTorch: the gradients are those of the values that were there."""
    x = leaf(1.0, 2.0)
    with allow_mutation_on_saved_tensors():
        y = x * 1
        z = (y * y).sum()
        y.mul_(0)
        z.backward()
    assert x.grad.tolist() == [2, 4]
