"""What `print(y)` shows as grad_fn, and what stands behind it, where kobai computes otherwise than PyTorch 2.13."""
import pytest

import kobai
from kobai import nn
from kobai.nn import functional as F


def leaf(*shape):
    return kobai.ones(*shape, requires_grad=True)


def name(y):
    return y.grad_fn.name()


SHOWN = {
    "batches": (lambda: leaf(2, 3, 4) @ leaf(2, 4, 5), "UnsafeViewBackward0"),
    "broadcast": (lambda: leaf(2, 1, 3, 4) @ leaf(5, 4, 2), "UnsafeViewBackward0"),
    "bmm": (lambda: kobai.bmm(leaf(2, 3, 4), leaf(2, 4, 5)), "BmmBackward0"),
    "matrix": (lambda: leaf(2, 3, 4) @ leaf(4, 5), "UnsafeViewBackward0"),
    "vector": (lambda: leaf(2, 3, 4) @ leaf(4), "UnsafeViewBackward0"),
    "einsum ij,kj->ik": (lambda: kobai.einsum("ij,kj->ik", leaf(2, 3), leaf(2, 3)), "ViewBackward0"),
    "einsum bij,bjk->bik": (lambda: kobai.einsum("bij,bjk->bik", leaf(1, 2, 3), leaf(1, 3, 2)), "ViewBackward0"),
    "einsum bi,bi->b": (lambda: kobai.einsum("bi,bi->b", leaf(2, 3), leaf(2, 3)), "ViewBackward0"),
    "einsum ij,j->i": (lambda: kobai.einsum("ij,j->i", leaf(2, 3), leaf(3)), "ViewBackward0"),
    "einsum i,i->": (lambda: kobai.einsum("i,i->", leaf(3), leaf(3)), "ViewBackward0"),
    "einsum i,j->ij": (lambda: kobai.einsum("i,j->ij", leaf(3), leaf(3)), "MulBackward0"),
    "einsum ij->": (lambda: kobai.einsum("ij->", leaf(3, 3)), "SumBackward1"),
    "einsum ij->ji": (lambda: kobai.einsum("ij->ji", leaf(3, 3)), "PermuteBackward0"),
    "glu": (lambda: F.glu(leaf(2, 4)), "GluBackward0"),
}


@pytest.mark.parametrize("case", SHOWN)
def test_results(case):
    make, expected = SHOWN[case]
    assert name(make()) == expected


LAYERS = [  # class, options, dtype, name of the output
    (nn.LSTM, {}, kobai.float32, "MkldnnRnnLayerBackward0"), (nn.LSTM, {}, kobai.float64, "StackBackward0"),
    (nn.LSTM, {"num_layers": 2}, kobai.float32, "MkldnnRnnLayerBackward0"), (nn.LSTM, {"bidirectional": True}, kobai.float32, "CatBackward0"),
    (nn.LSTM, {"batch_first": True}, kobai.float32, "TransposeBackward0"), (nn.GRU, {}, kobai.float32, "StackBackward0"),
    (nn.GRU, {"bidirectional": True, "num_layers": 2}, kobai.float64, "CatBackward0"), (nn.GRU, {"batch_first": True}, kobai.float32, "TransposeBackward1"),
    (nn.RNN, {}, kobai.float32, "StackBackward0"), (nn.RNN, {"batch_first": True}, kobai.float32, "TransposeBackward1"),
]


@pytest.mark.parametrize("kind, options, dtype, expected", LAYERS, ids=str)
def test_recurrent_layers(kind, options, dtype, expected):
    layer, x = kind(3, 2, dtype=dtype, **options), kobai.ones(2, 1, 3, dtype=dtype)
    y, state = layer(x)
    assert name(y) == expected
    assert {name(s) for s in (state if isinstance(state, tuple) else (state,))} == {"StackBackward0"}
    y, state = layer(x[0]) if not options.get("batch_first") else layer(x[:, 0])
    assert name(y) == "SqueezeBackward1"


def test_what_stands_behind_a_product_of_batches():
    q = leaf(2, 3, 4)
    bmm = (q @ q.transpose(1, 2)).grad_fn.next_functions[0][0]
    assert bmm.name() == "BmmBackward0"
    assert [[f.name() for f in (a, a.next_functions[0][0])] for a, _ in bmm.next_functions] == \
        [["ViewBackward0", "ExpandBackward0"], ["ReshapeAliasBackward0", "ExpandBackward0"]]
    assert bmm.next_functions[1][0].next_functions[0][0].next_functions[0][0].name() == "TransposeBackward0"
    constant = (kobai.ones(2, 3, 4) @ leaf(2, 4, 3)).grad_fn.next_functions[0][0]
    assert constant.next_functions[0] == (None, 0)


def test_gradients_are_as_ever():
    q, k = leaf(2, 3, 4), leaf(2, 5, 4)
    kobai.einsum("bij,bkj->bik", q, k).sum().backward()
    assert q.grad.tolist() == [[[5.0] * 4] * 3] * 2
    (q @ k.mT).sum().backward()
    assert k.grad.tolist() == [[[6.0] * 4] * 5] * 2
