"""Views: which ops share memory, and what in-place changes of a view do to its base, and back."""
import numpy as np
import pytest

import kobai

VIEWS = {
    "view": lambda x: x.view(-1), "reshape": lambda x: x.reshape(6, 2), "flatten": lambda x: x.flatten(),
    "t": lambda x: x.t(), "T": lambda x: x.T, "transpose": lambda x: x.transpose(0, 1),
    "permute": lambda x: x.permute(1, 0), "select": lambda x: x.select(0, 1), "index": lambda x: x[1],
    "slice": lambda x: x[::2, 1:], "narrow": lambda x: x.narrow(1, 1, 2), "unsqueeze": lambda x: x.unsqueeze(1),
    "squeeze": lambda x: x[:1].squeeze(0), "diagonal": lambda x: x.diagonal(), "unfold": lambda x: x.unfold(1, 2, 2),
    "as_strided": lambda x: x.as_strided((2, 2), (4, 1), 1), "unbind": lambda x: x.unbind(0)[2],
    "split": lambda x: x.split(2)[1], "chunk": lambda x: x.chunk(2, 1)[1], "detach": lambda x: x.detach(),
    "ellipsis": lambda x: x[...], "tensor_split": lambda x: x.tensor_split(2)[0], "movedim": lambda x: x.movedim(0, 1),
    "unflatten": lambda x: x.unflatten(1, (2, 2)), "view_as": lambda x: x.view_as(kobai.zeros(12)),
}
COPIES = {
    "clone": lambda x: x.clone(), "positions": lambda x: x[[0, 1]], "mask": lambda x: x[x > -1],
    "flip": lambda x: x.flip(0), "roll": lambda x: x.roll(1), "repeat": lambda x: x.repeat(1, 1),
    "cat": lambda x: kobai.cat([x]), "reshape of a transpose": lambda x: x.t().reshape(-1),
    "contiguous of a transpose": lambda x: x.t().contiguous(), "tril": lambda x: x.tril(),
    "index_select": lambda x: x.index_select(0, kobai.tensor([0])), "to": lambda x: x.to(kobai.float64),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_share_memory_and_version(name):
    x = kobai.arange(12.0).reshape(3, 4).clone()
    v = VIEWS[name](x)
    before = x.clone()
    v.add_(100)
    assert (x != before).sum().item() == v.numel(), "the base changed where the view looks"
    assert x._version == v._version > 0


@pytest.mark.parametrize("name", COPIES)
def test_copies_do_not(name):
    x = kobai.arange(12.0).reshape(3, 4).clone()
    COPIES[name](x).add_(100)
    assert x.tolist() == np.arange(12.0).reshape(3, 4).tolist()


@pytest.mark.parametrize("name", [n for n in VIEWS if n != "detach"])
def test_history_goes_through_a_changed_view(name):
    """y = 2x, then v (a view of y) *= 3: dy/dx is 6 where v looks, 2 elsewhere."""
    x = kobai.arange(12.0).reshape(3, 4).requires_grad_()
    y = x * 2
    v = VIEWS[name](y)
    v.mul_(3)
    y.sum().backward()
    seen = kobai.zeros(3, 4)
    VIEWS[name](seen).fill_(1)
    assert x.grad.tolist() == (2 + 4 * seen).tolist()


@pytest.mark.parametrize("name", [n for n in VIEWS if n != "detach"])
def test_a_view_notices_that_its_base_changed(name):
    """v looks at y; y *= 3 afterwards: dv/dx is 6 where it looks, 0 elsewhere."""
    x = kobai.arange(12.0).reshape(3, 4).requires_grad_()
    y = x * 2
    v = VIEWS[name](y)
    y.mul_(3)
    v.sum().backward()
    seen = kobai.zeros(3, 4)
    VIEWS[name](seen).fill_(1)
    assert x.grad.tolist() == (6 * seen).tolist()


def test_a_saved_value_that_a_view_overwrote_is_noticed():
    x = kobai.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y[0] = 5
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_view_refuses_what_the_memory_does_not_allow():
    x = kobai.zeros(3, 4)
    with pytest.raises(RuntimeError, match=r"view size is not compatible with input tensor's size and stride"):
        x.t().view(12)
    assert x.t().reshape(12).shape == (12,)
    assert x[:, :2].view(3, 2, 1).shape == (3, 2, 1)  # nothing spans a gap


@pytest.mark.parametrize("shape, strides, new", [
    ((4, 3), (3, 1), (2, 6)), ((4, 3), (6, 1), (2, 2, 3)), ((4, 3), (6, 1), (12,)), ((2, 1, 3), (3, 99, 1), (6,)),
    ((3, 4), (1, 3), (12,)), ((3, 4), (1, 3), (3, 2, 2)), ((2, 3, 4), (12, 4, 1), (24,)), ((1, 5), (7, 2), (5, 1)),
])
def test_new_strides_agree_with_numpy(shape, strides, new):
    """A shape is possible without copying exactly if NumPy does not copy."""
    from kobai.ops.shape import new_strides
    a = np.lib.stride_tricks.as_strided(np.arange(500.0), shape, [8 * s for s in strides])
    found = new_strides(a.shape, a.strides, new, 8)
    assert (found is not None) == np.may_share_memory(a.reshape(new), a)
    if found is not None:
        assert np.lib.stride_tricks.as_strided(a, new, found).tolist() == a.reshape(new).tolist()


def test_in_place_shapes():
    x = kobai.arange(6.0).reshape(2, 3).clone()
    assert x.t_() is x
    assert x.shape == (3, 2)
    assert x.unsqueeze_(0).shape == (1, 3, 2)
    assert x.squeeze_().transpose_(0, 1).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_expanded_memory_is_not_written():
    x = kobai.zeros(1, 3).expand(2, 3)
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single memory"):
        x.add_(1)
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single memory"):
        x[0] = 1


def test_parts_of_complex_numbers_are_views():
    z = kobai.tensor([1 + 2j, 3 - 1j])
    z.real.mul_(10)
    z.imag = kobai.tensor([5.0, 6.0])
    assert z.tolist() == [10 + 5j, 30 + 6j]
    assert kobai.view_as_real(z)[1, 0].item() == 30


def test_memory_of_a_view():
    x = kobai.arange(6.0).reshape(2, 3)
    v = x[:, 1:]
    assert (v.stride(), v.storage_offset(), v.is_contiguous()) == ((3, 1), 1, False)
    assert v.untyped_storage().data_ptr() == x.untyped_storage().data_ptr() == x.data_ptr()
    assert v.untyped_storage().nbytes() == 24
    assert v.data_ptr() == x.data_ptr() + 4
    assert x.t().stride() == (1, 3)


def test_dlpack_both_ways():
    x = kobai.arange(4.0)
    a = np.from_dlpack(x)
    y = kobai.from_dlpack(a)
    y[0] = 9
    assert x[0].item() == a[0] == 9
    with pytest.raises(BufferError, match="requires? gradient"):
        np.from_dlpack(kobai.ones(2, requires_grad=True))


def filled(x):
    """A tensor made inside, its parts written: then a view, a change of its base, and the other way round."""
    y = kobai.zeros_like(x)
    y[0] = x[0] ** 2
    y[1:] = x[1:] * x[0]
    view = y[1:]
    y.mul_(2)
    view.add_(x[0])
    return y


def test_in_place_changes_inside_transforms():
    """y = (2a^2, 2ab + a, 2ac + a) at (1, 2, 3)."""
    x = kobai.tensor([1.0, 2.0, 3.0])
    jacobian = [[4.0, 0, 0], [5.0, 2.0, 0], [7.0, 0, 2.0]]
    assert kobai.func.jacfwd(filled)(x).tolist() == jacobian
    assert kobai.func.jacrev(filled)(x).tolist() == jacobian
    assert kobai.func.vmap(filled)(kobai.stack([x, x])).tolist() == [[2.0, 5.0, 7.0]] * 2
    assert kobai.func.hessian(lambda v: filled(v).sum())(x).tolist() == [[4, 2, 2], [2, 0, 0], [2, 0, 0]]


def test_a_new_tensor_takes_what_forward_mode_writes():
    def f(x):
        y = kobai.zeros(2)
        y[0] = x[0] * x[1]
        return y
    value, tangent = kobai.func.jvp(f, (kobai.tensor([2.0, 3.0]),), (kobai.tensor([1.0, 0.0]),))
    assert value.tolist() == [6, 0]
    assert tangent.tolist() == [3, 0]
    with pytest.raises(RuntimeError, match="vmap: inplace arithmetic"):
        kobai.func.vmap(f)(kobai.ones(3, 2))


@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 3)])
def test_in_place_ops_keep_what_their_own_gradient_needs(shape):
    """y = |2x| in place: dy/dx = 2 sign(x), also where there are no dimensions or no elements."""
    x = kobai.full(shape, -3.0, requires_grad=True)
    y = x * 2
    y.abs_()
    y.sum().backward()
    assert x.grad.tolist() == kobai.full(shape, -2.0).tolist()


def test_products_of_columns_with_rows_lie_in_row_major_order():
    """As PyTorch's do: dropout of attention weights draws its numbers in the order of memory."""
    q = kobai.arange(24.0).view(2, 3, 4, 1).transpose(1, 2)
    y = q @ q.transpose(-2, -1)
    assert y.shape == (2, 4, 3, 3) and y.stride() == (36, 9, 3, 1)


def test_expanded_memory_in_which_nothing_is_repeated_is_written():
    """As PyTorch 2.13: only dimensions of size 1 are added; their strides are those of contiguous memory."""
    x = kobai.arange(3.0)
    y, z = x.expand(1, 3), x[:, None].expand(3, 1)
    y.mul_(2)
    z.add_(1)
    assert x.tolist() == [1.0, 3.0, 5.0] and y.stride() == (3, 1) and z.stride() == (1, 1)
