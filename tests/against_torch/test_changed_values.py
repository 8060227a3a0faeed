"""The message about an overwritten value is PyTorch's up to its hint: which tensor, what made it, and both versions.

PyTorch's graph keeps the tensor itself and so can name what changed it last.  kobai's keeps its numbers only: where
the program has dropped the tensor, the message names what made it first.
"""
import pytest
import torch

import kobai


def _output(t, x):
    y = x.exp()
    y.add_(1)
    return y


def _input(t, x):
    y = x * 2
    z = y * y
    y.add_(1)
    return z, y


def _two_inputs(t, x):
    a, b = x * 1, x * 2
    y = a * b
    b += 1
    b += 1
    return y, a, b


def _without_history(t, x):
    a = t.ones(2, 3)
    y = a * x
    a.add_(1)
    return y


def _leaf(t, x):
    w = t.ones(3, 3, requires_grad=True)
    y = x @ w
    with t.no_grad():
        w.sub_(1)
        w.sub_(1)
    return y


def _changed_before(t, x):
    y = x * 1
    y += 1
    z = y ** 2
    y += 1
    return z


def _of_several(t, x):
    values, _ = x.max(1)
    y = values * values
    with t.no_grad():
        values += 1
    return y


def _item(t, x):
    y = t.nn.functional.linear(x, t.ones(4, 3)).tanh()
    y[0] = 1
    return y


def _relu(t, x):
    y = t.nn.functional.linear(x, t.ones(4, 3), t.ones(4))
    z = y * y
    y.relu_()
    return z, y


def _function(t, x):
    class Exp(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    y = Exp.apply(x)
    y += 1
    return y


def _function_of_input(t, x):
    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]

    h = x * 1
    y = Square.apply(h)
    h += 1
    return y


def _double(t, x):
    x = x.double() * 1
    y = x.sigmoid()
    y.mul_(2)
    return y


CASES = [_output, _input, _two_inputs, _without_history, _leaf, _changed_before, _of_several, _item, _relu, _function,
         _function_of_input, _double]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__[1:])
def test_first_line(case):
    texts = []
    for t in (torch, kobai):
        made = case(t, t.ones(2, 3, requires_grad=True))
        result = made[0] if isinstance(made, tuple) else made  # the others are kept alive
        with pytest.raises(RuntimeError, match="modified by an inplace operation") as e:
            result.sum().backward()
        texts.append(str(e.value).partition(" Hint:")[0])
    assert texts[1] == texts[0]


def test_dropped_tensor():
    def hidden(x):
        y = x * 2
        z = y.sin()
        y.relu_()
        return z

    z = hidden(kobai.ones(2, requires_grad=True))
    with pytest.raises(RuntimeError, match=r"\[torch.FloatTensor \[2\]\], which is output 0 of Mul, is at version 1; expected"):
        z.sum().backward()
