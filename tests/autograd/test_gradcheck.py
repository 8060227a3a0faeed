"""gradcheck: it finds what is wrong, and nothing where all is right."""
import pytest

import kobai
from kobai.autograd import gradcheck, gradgradcheck
from kobai.autograd.gradcheck import GradcheckError


def point(*values, dtype=kobai.float64):
    return kobai.tensor(values, dtype=dtype, requires_grad=True)


def square(backward):
    class Square(kobai.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x ** 2
    Square.backward = staticmethod(lambda ctx, g: backward(g, ctx.saved_tensors[0]))
    return Square.apply


@pytest.mark.parametrize("fast_mode", [False, True])
def test_right_and_wrong(fast_mode):
    x = point(0.5, -1.0)
    assert gradcheck(square(lambda g, x: 2 * g * x), x, fast_mode=fast_mode)
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0,\nnumerical:"):
        gradcheck(square(lambda g, x: 2.01 * g * x), x, fast_mode=fast_mode)
    assert gradcheck(square(lambda g, x: 2.01 * g * x), x, fast_mode=fast_mode, raise_exception=False) is False
    assert x.tolist() == [0.5, -1.0]


def test_complex():
    z = point(1 + 2j, 0.5j, dtype=kobai.complex128)
    assert gradcheck(square(lambda g, z: 2 * g * z.conj()), z, check_forward_ad=False)
    with pytest.raises(GradcheckError, match="While considering the imaginary part of complex outputs only, Jacobian"):
        gradcheck(square(lambda g, z: 2 * g * z), z)


def test_all_kinds_of_derivatives():
    x, y = point(0.3, 0.7), point(1.0, 2.0)
    assert gradcheck(lambda x, y: (x * y.exp(), (x / y).sum()), (x, y), check_forward_ad=True, check_batched_grad=True,
                     check_batched_forward_grad=True, check_grad_dtypes=True)
    assert gradgradcheck(lambda x, y: x ** 2 * y.sin(), (x, y), check_fwd_over_rev=True, check_batched_grad=True)


def test_second_derivatives_are_looked_at():
    with pytest.raises(GradcheckError):
        gradgradcheck(square(lambda g, x: 2 * g * x.detach()), point(0.5, 1.0))


@pytest.mark.parametrize("function, inputs, error, message", [
    (kobai.sin, kobai.ones(2), ValueError, "gradcheck expects at least one input tensor to require gradient"),
    (lambda x: x.detach() * 2, point(1.0), GradcheckError, "Numerical gradient for function expected to be zero"),
    (square(lambda g, x: 2 * g * x + 1e-6 * kobai.rand(())), point(1.0), GradcheckError, "Backward is not reentrant"),
    (kobai.sin, point(1.0).expand(3), RuntimeError, "The 0th input has a dimension with stride 0.")])
def test_errors(function, inputs, error, message):
    with pytest.raises(error, match=message):
        gradcheck(function, inputs)


def test_single_precision_warns():
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision"):
        gradcheck(lambda x: x * 2, kobai.ones(2, requires_grad=True), atol=0.1)


def test_the_module_may_be_called_too():
    import kobai.autograd.gradcheck as module
    assert module(kobai.sin, point(1.0))
