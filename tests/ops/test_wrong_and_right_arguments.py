"""Arguments that PyTorch takes, and its words for those that it does not (observed with PyTorch 2.13)."""
import numpy as np
import pytest

import kobai
from kobai.nn import functional as F

X, W = kobai.ones(1, 1, 4, 4), kobai.ones(1, 1, 2, 2)


@pytest.mark.parametrize("stride", [2, np.int64(2), kobai.tensor(2), [2], (2, 2), (np.int32(2), np.int64(2))])
def test_a_stride_may_be_any_whole_number(stride):
    assert F.conv2d(X, W, stride=stride).shape == (1, 1, 2, 2)
    assert F.conv_transpose2d(X, W, stride=stride).shape == (1, 1, 8, 8)


def test_a_numpy_number_is_a_dimension_of_max_not_another_tensor():
    values, indices = kobai.tensor([[1.0, 5.0], [3.0, 2.0]]).max(np.int64(0), True)
    assert values.tolist() == [[3.0, 5.0]] and indices.tolist() == [[1, 0]]
    assert kobai.tensor([2.0, 1.0]).min(np.int32(0)).values.item() == 1.0


def test_the_shape_may_be_named():
    assert kobai.ones(4).reshape(shape=(2, 2)).shape == (2, 2)
    assert kobai.reshape(kobai.ones(4), shape=(2, 2)).shape == (2, 2)


@pytest.mark.parametrize("shape", [(2, 2), ([2, 2],), (kobai.Size([2, 2]),), (np.int64(2), 2), (kobai.tensor(2), 2),
                                   ([kobai.tensor(2), -1],)])
def test_shapes_as_before(shape):
    assert kobai.ones(4).reshape(*shape).shape == (2, 2)
    assert kobai.ones(4).view(*shape).shape == (2, 2)
    assert kobai.ones(2, 1).expand(*shape[:-1], *shape[-1:]).shape == (2, 2) if -1 not in np.ravel(shape[0]) else True


@pytest.mark.parametrize("sizes", [2, np.int64(2), kobai.tensor(2), (2, 2), [np.int64(2), 2], kobai.Size([2, 2])])
def test_sizes_of_parts(sizes):
    assert [p.shape[0] for p in kobai.ones(4).split(sizes)] == [2, 2]


WRONG = [
    ("x.reshape('a')", TypeError, "reshape(): argument 'shape' (position 1) must be tuple of ints, not str"),
    ("x.reshape(2.5)", TypeError, "reshape(): argument 'shape' (position 1) must be tuple of ints, not float"),
    ("x.reshape(None)", TypeError, "reshape(): argument 'shape' (position 1) must be tuple of ints, not NoneType"),
    ("x.reshape((2, 'a'))", TypeError, "reshape(): argument 'shape' failed to unpack the object at pos 2 with error "
                                       "\"type must be tuple of ints,but got str\""),
    ("x.view('a')", TypeError, "view() received an invalid combination of arguments - got (str)"),
    ("x.expand('a')", TypeError, "expand(): argument 'size' (position 1) must be tuple of ints, not str"),
    ("x.split('a')", TypeError, "split_with_sizes(): argument 'split_sizes' (position 2) must be tuple of ints, not str"),
    ("x.split(2.5)", TypeError, "split_with_sizes(): argument 'split_sizes' (position 2) must be tuple of ints, not float"),
    ("x.split([1., 3.])", TypeError, "split_with_sizes(): argument 'split_sizes' (position 2) must be tuple of ints, "
                                     "but found element of type float at pos 0"),
    ("~x", TypeError, "~ (operator.invert) is only implemented on integer and Boolean-type tensors"),
    ("kobai.autograd.grad(y, 'a')", RuntimeError, "all inputs have to be Tensors or GradientEdges, but got str"),
    ("kobai.autograd.grad('a', x)", AssertionError, "Expected output to be a torch.Tensor"),
    ("kobai.autograd.backward('a')", AssertionError, "Expected output to be a torch.Tensor"),
    ("x.repeat_interleave(2, output_size=7)", RuntimeError,
     "repeat_interleave: Invalid output_size, expected 8 but got 7"),
    ("kobai.tensor([1, 2]).repeat_interleave(kobai.tensor([1, 2]), output_size=4)", RuntimeError,
     "allocated size does not match required size"),
    ("kobai.repeat_interleave(kobai.tensor([1, 2]), output_size=4)", RuntimeError,
     "allocated size does not match required size"),
    ("x.max(0, np.bool_(True))", TypeError, "max(): argument 'keepdim' (position 2) must be bool, not numpy.bool"),
    ("F.glu(kobai.ones(2, 4), 5)", IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got 5)"),
    ("F.conv_transpose2d(X, W, stride=(2, 2, 2))", RuntimeError, "expected stride to be a single integer value or a list "
     "of 2 values to match the convolution dimensions, but got stride=[2, 2, 2]"),
    ("kobai.add(kobai.arange(2), 1, alpha=1.5)", RuntimeError,
     "For integral input tensors, argument alpha must not be a floating point number."),
    ("kobai.arange(2).sub_(kobai.arange(2), alpha=1.5)", RuntimeError,
     "For integral input tensors, argument alpha must not be a floating point number."),
    ("x.add(x, alpha=1j)", RuntimeError, "For non-complex input tensors, argument alpha must not be a complex number."),
    ("x.add(x, alpha='a')", TypeError, "add(): argument 'alpha' must be Number, not str"),
    ("kobai.randperm('a')", TypeError, "randperm(): argument 'n' (position 1) must be int, not str"),
    ("kobai.randperm(np.float32(3))", TypeError, "randperm(): argument 'n' (position 1) must be int, not numpy.float32"),
    ("kobai.arange(2).cauchy_()", RuntimeError, "Cauchy distribution is a continuous probability distribution. dtype must be "
     "a floating point but you specified long int"),
    ("kobai.full((2,), 1e30, dtype=kobai.int32)", RuntimeError, "value cannot be converted to type int without overflow"),
    ("F.cross_entropy(kobai.ones(2, 3).int(), kobai.ones(2, 3))", NotImplementedError,
     "\"log_softmax_lastdim_kernel_impl\" not implemented for 'Int'"),
    ("kobai.nn.LSTM(2, 3)(kobai.ones(4, 1, 2), kobai.ones(2, 1, 3))", RuntimeError,
     "For batched 3-D input, hx and cx should also be 3-D but got (2-D, 2-D) tensors"),
    ("x.unsqueeze('a')", TypeError, "unsqueeze(): argument 'dim' (position 1) must be int, not str"),
    ("kobai.round(kobai.arange(2), decimals=1)", NotImplementedError, "\"round_cpu\" not implemented for 'Long'"),
    ("kobai.equal(x, np.ones(4))", TypeError, "equal(): argument 'other' (position 2) must be Tensor, not numpy.ndarray"),
]


@pytest.mark.parametrize("code, kind, first", WRONG, ids=[w[0] for w in WRONG])
def test_words(code, kind, first):
    x = kobai.ones(4, requires_grad=True)
    with pytest.raises(kind) as caught:
        eval(code, {"x": x, "y": (x * x).sum(), "kobai": kobai, "np": np, "F": F, "X": X, "W": W})
    said = str(caught.value).splitlines()
    assert said[0] == first
    assert any("fix:" in line for line in said) and any("cause:" in line for line in said)


@pytest.mark.parametrize("module, name, near", [(kobai.nn, "Liner", "torch.nn.Linear"), (F, "rleu", "torch.nn.functional.relu"),
                                                (kobai.optim, "Adamm", "torch.optim.Adam")])
def test_misspelt_names(module, name, near):
    with pytest.raises(AttributeError) as caught:
        getattr(module, name)
    where = near.rpartition(".")[0]
    assert str(caught.value).startswith(f"module '{where}' has no attribute '{name}'") and near in str(caught.value)


def test_a_sparse_result_is_written_where_it_is_asked_for():
    eye = kobai.eye(2).to_sparse_csr()
    out = kobai.zeros(2, 2).to_sparse_csr()
    assert kobai.sparse.sampled_addmm(eye, kobai.ones(2, 3), kobai.ones(3, 2), beta=2, out=out) is out
    assert out.to_dense().tolist() == [[5, 0], [0, 5]]
    with pytest.raises(RuntimeError, match="Expected result to have sparse csr layout, but got Strided"):
        kobai.sparse.sampled_addmm(eye, kobai.ones(2, 3), kobai.ones(3, 2), out=kobai.zeros(2, 2))


def test_a_state_of_an_lstm_may_be_a_tensor_of_both():
    lstm, x, h, c = kobai.nn.LSTM(2, 3), kobai.ones(4, 2), kobai.rand(1, 3), kobai.rand(1, 3)
    assert kobai.equal(lstm(x, kobai.stack([h, c]))[0], lstm(x, (h, c))[0])


def test_sizes_behind_a_tuple_are_sizes():
    whole = (1,) + kobai.Size([2, 3])
    assert whole == (1, 2, 3) and type(whole) is kobai.Size


@pytest.mark.parametrize("one", [np.int64(1), np.int8(1), kobai.tensor(1)], ids=["int64", "int8", "tensor"])
def test_a_dimension_may_be_any_whole_number(one):
    """NumPy's, as from `for d in np.arange(n)`, or a tensor's."""
    x = kobai.tensor([[-1.0, 2.0, -3.0], [4.0, -5.0, 6.0]])
    for fn in (lambda d: x.sum(d), lambda d: x.mean(d), lambda d: x.amax(d), lambda d: kobai.logsumexp(x, d), lambda d: x.all(d),
               lambda d: x.any(d), lambda d: kobai.count_nonzero(x, d), lambda d: x.roll(d, 0), lambda d: x.roll(1, d),
               lambda d: x.movedim(d, 0), lambda d: x.var(d), lambda d: x.norm(dim=d), lambda d: x.softmax(d)):
        assert kobai.equal(fn(one), fn(1))


def test_minus_zero_is_another_number_than_zero():
    """PyTorch 2.13's signs; once a parameter of 0.0 had been met, -0.0 was taken for it."""
    x = kobai.tensor([-1.0, 1.0])
    for fn in (lambda v: F.threshold(x, 5.0, v), lambda v: x.masked_fill(x > -5, v), lambda v: F.pad(x[:0], (1, 1), value=v),
               lambda v: x.index_fill(0, kobai.tensor([0, 1]), v), lambda v: x.scatter(0, kobai.tensor([0, 1]), v),
               lambda v: kobai.nan_to_num(x / 0 * 0, nan=v), lambda v: -F.leaky_relu(-abs(x), v)):
        assert [str(fn(v).tolist()) for v in (0.0, -0.0, 0.0)] == ["[0.0, 0.0]", "[-0.0, -0.0]", "[0.0, 0.0]"]


@pytest.mark.parametrize("fn", [kobai.logical_or, kobai.logical_and, kobai.eq, kobai.ne, kobai.add, kobai.maximum, kobai.atan2])
def test_none_is_no_tensor(fn):
    """NumPy has an answer for some: a tensor of objects came out."""
    for args in ((kobai.ones(3), None), (None, kobai.ones(3))):
        with pytest.raises(TypeError, match="must be Tensor, not NoneType"):
            fn(*args)


def test_equal_is_a_python_bool():
    one, two = kobai.tensor(1.0), kobai.tensor([1.0, 2.0])
    for a, b, want in ((one, one, True), (one, kobai.tensor(2.0), False), (two, two, True), (two, two + 1, False), (one, two, False)):
        assert kobai.equal(a, b) is want and a.equal(b) is want
