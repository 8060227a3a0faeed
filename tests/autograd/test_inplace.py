"""Changes in place: history, views, versions. Expected gradients are worked out by hand or by the same
program without changes in place."""
import pytest

import kobai


def leaf(*values):
    return kobai.tensor(values, requires_grad=True)


def test_a_change_that_needs_the_value_it_overwrites():
    """PyTorch refuses y.mul_(y); here the old value is kept for the gradient."""
    x = leaf(1.0, 2.0)
    y = 3 * x + 1
    y.mul_(y)
    y.sum().backward()
    assert x.grad.tolist() == [6 * (3 * 1 + 1), 6 * (3 * 2 + 1)]


def test_chain_of_views_against_the_same_without_changes_in_place():
    x = kobai.arange(1.0, 13.0, requires_grad=True)
    weights = kobai.arange(12.0)
    y = x * 1
    v = y.view(3, 4)[1:].t().unsqueeze(0)[0, 1:3]
    w = y[2:8]
    v.exp_()
    w.add_(x[:6])
    v.mul_(2)
    (y * weights).sum().backward()
    found, x.grad = x.grad, None
    places = [5, 6, 9, 10]
    z = [x[i].exp() if i in places else x[i] for i in range(12)]
    z = [z[i] + x[i - 2] if 2 <= i < 8 else z[i] for i in range(12)]
    z = [2 * z[i] if i in places else z[i] for i in range(12)]
    (kobai.stack(z) * weights).sum().backward()
    assert kobai.allclose(found, x.grad)
    assert kobai.allclose(y, kobai.stack(z))


def test_base_and_view_see_each_others_changes_and_histories():
    w = leaf(1.0, 2.0)
    base = kobai.zeros(4)
    view = base[:2]
    base[2:] = w * 2
    view.add_(w)
    assert base.requires_grad and view.requires_grad and not base.is_leaf
    (base * kobai.tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    assert w.grad.tolist() == [201, 2010]


def test_a_stale_view_is_brought_up_to_date_before_it_is_changed():
    w, base = leaf(2.0), kobai.ones(3)
    view = base[:1]
    base.mul_(w)
    view.clamp_(min=0.5)
    view.add_(1)
    base.sum().backward()
    assert w.grad.tolist() == [3.0]


@pytest.mark.parametrize("save, needed", [
    (lambda x: x.exp(), "output"), (lambda x: x.tanh(), "output"), (lambda x: x ** 2, "input"),
    (lambda x: x.sin(), "input"), (lambda x: x * x, "input"), (lambda x: x.softmax(0), "output"),
    (lambda x: x * 3, "nothing"), (lambda x: x.sum(), "nothing")])
def test_only_what_is_needed_is_watched(save, needed):
    for changed in ("input", "output"):
        x = leaf(1.0, 2.0) * 1
        y = save(x)
        (x if changed == "input" else y).add_(1)
        if changed == needed:
            with pytest.raises(RuntimeError, match="has been modified by an inplace operation"):
                y.sum().backward()
        else:
            y.sum().backward()


def test_the_error_names_the_value_and_both_lines():
    x = leaf(1.0, 2.0) * 1
    y = x.exp()
    y.add_(1)  # changed here
    with pytest.raises(RuntimeError) as e:
        y.sum().backward()
    text = str(e.value)
    assert text.startswith("one of the variables needed for gradient computation has been modified by an inplace "
                           "operation: [torch.FloatTensor [2]]")
    assert "ExpBackward0" in text and "y = x.exp()" in text and "y.add_(1)" in text


def test_detach_shares_the_version_and_data_does_not():
    x = leaf(1.0, 2.0) * 1
    y, z = x ** 2, x ** 2
    x.data.zero_()
    y.sum().backward()
    x.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


@pytest.mark.parametrize("change", [lambda x: x.add_(1), lambda x: x[:1].add_(1), lambda x: x.view(2, 1).zero_(),
                                    lambda x: x.__setitem__(0, 7.0), lambda x: x.copy_(kobai.ones(2))])
def test_leaves_are_protected_except_under_no_grad(change):
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad is being used in an in-place operation"):
        change(x)
    assert x.tolist() == [1.0, 2.0]
    with kobai.no_grad():
        change(x)
    assert x.is_leaf and x.requires_grad and x.tolist() != [1.0, 2.0]


@pytest.mark.parametrize("other, message", [
    ((2, 3), "output with shape [3] doesn't match the broadcast shape [2, 3]"),
    ((2,), "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0")])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_shapes_that_do_not_fit(other, message, requires_grad):
    x = kobai.ones(3, requires_grad=requires_grad) * 1
    with pytest.raises(RuntimeError) as e:
        x.mul_(kobai.ones(other))
    assert str(e.value).startswith(message)


@pytest.mark.parametrize("dtype", [kobai.float32, kobai.float64, kobai.int64, kobai.bfloat16, kobai.complex64])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3,), (5, 7), (2, 1, 3)])
def test_sums_in_place_are_those_out_of_place(dtype, shape):
    """To the bit, with numbers, tensors, broadcasting and alpha."""
    kobai.manual_seed(0)
    a, b = (kobai.randn(shape) * 4).to(dtype), (kobai.randn(shape) * 4).to(dtype)
    for other in (b, b[:1] if shape and shape[0] else b, 3, *((0.1,) if dtype != kobai.int64 else ())):
        for alpha in (1, 2, -3, *((0.3, 1e-9) if dtype != kobai.int64 else ())):
            for name in ("add", "sub"):
                want = getattr(kobai, name)(a, other, alpha=alpha)
                x = a.clone()
                version = x._version
                assert getattr(x, name + "_")(other, alpha=alpha) is x and x._version == version + 1
                assert kobai.equal(x, want) and x.dtype == dtype
                x = a.repeat(2, *[1] * a.ndim)[1] if shape else a.clone()
                assert kobai.equal(getattr(x, name + "_")(other=other, alpha=alpha), want)


@pytest.mark.parametrize("alpha", [1, 0.5])
def test_gradients_through_sums_in_place(alpha):
    """d/dw sum((2w + alpha w)^2) = 2 (2 + alpha)^2 w."""
    w = kobai.tensor([1.0, -2.0], requires_grad=True)
    y = w * 2
    y.add_(w, alpha=alpha)
    assert y.grad_fn.name() == "AddBackward0"
    (y ** 2).sum().backward()
    assert w.grad.tolist() == pytest.approx([2 * (2 + alpha) ** 2, -4 * (2 + alpha) ** 2])
    with kobai.no_grad():
        assert w.sub_(w.grad, alpha=0.0) is w and w.is_leaf and w.requires_grad
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        w.sub_(w.grad, alpha=0.5)


@pytest.mark.parametrize("change", [lambda y: y, lambda y: y.t(), lambda y: y[0]])
def test_changes_count_for_gradients_of_gradients(change):
    """The gradient of sin is cos of the same saved value (PyTorch raises)."""
    w = kobai.randn(3, 4, requires_grad=True)
    y = w * 2
    g, = kobai.autograd.grad(y.sin().sum(), w, create_graph=True)
    with kobai.no_grad():
        change(y).mul_(1.5)
    with pytest.raises(RuntimeError, match="has been modified by an inplace operation"):
        g.sum().backward()
