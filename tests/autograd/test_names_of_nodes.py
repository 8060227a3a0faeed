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
    "layer": (lambda: nn.Linear(4, 2)(leaf(2, 3, 4)), "ViewBackward0"),
    "layer of rows that are copied": (lambda: nn.Linear(4, 2)(leaf(3, 2, 4).transpose(0, 1)), "AddBackward0"),
    "layer without bias": (lambda: nn.Linear(4, 2, bias=False)(leaf(2, 3, 4)), "UnsafeViewBackward0"),
    "layer without bias, of a vector": (lambda: nn.Linear(4, 2, bias=False)(leaf(4)), "SqueezeBackward4"),
    "vector and matrix": (lambda: leaf(4) @ leaf(4, 5), "SqueezeBackward4"),
    "round": (lambda: leaf(2).round(decimals=2), "RoundBackward1"),
    "attention": (lambda: F.scaled_dot_product_attention(*[leaf(1, 2, 3, 4)] * 3),
                  "ScaledDotProductFlashAttentionForCpuBackward0"),
    "attention with dropout": (lambda: F.scaled_dot_product_attention(*[leaf(1, 2, 3, 4)] * 3, dropout_p=0.5),
                               "UnsafeViewBackward0"),
    "attention of three dimensions": (lambda: F.scaled_dot_product_attention(*[leaf(2, 3, 4)] * 3), "UnsafeViewBackward0"),
    "attention of matrices": (lambda: F.scaled_dot_product_attention(*[leaf(3, 4)] * 3), "MmBackward0"),
    "solution": (lambda: kobai.linalg.solve(kobai.eye(2), leaf(2)), "LinalgSolveExBackward0"),
    "celu": (lambda: F.celu(leaf(2)), "CeluBackward0"),
    "log1p": (lambda: leaf(2).log1p(), "Log1PBackward0"),
    "loss of probabilities": (lambda: F.cross_entropy(leaf(2, 3), kobai.ones(2, 3)), "DivBackward1"),
    "sum of losses of probabilities": (lambda: F.cross_entropy(leaf(2, 3), kobai.ones(2, 3), reduction="sum"),
                                       "NegBackward0"),
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


def chain(node):
    """The names of the first functions behind a node."""
    names = []
    while node is not None:
        names.append(node.name())
        node = node.next_functions[0][0] if node.next_functions else None
    return names


def test_what_stands_behind_a_layer_of_rows_that_are_copied():
    layer, x = nn.Linear(4, 2), leaf(3, 2, 4)
    copied = ["UnsafeViewBackward0", "CloneBackward0", "TransposeBackward0", "torch::autograd::AccumulateGrad"]
    node = layer(x.transpose(0, 1)).grad_fn
    assert chain(node) == ["AddBackward0", "UnsafeViewBackward0", "MmBackward0", *copied]
    assert chain(node.next_functions[1][0]) == copied[-1:]
    assert chain(x.transpose(0, 1).reshape(6, 4).grad_fn) == copied
    layer.weight.requires_grad_(False)
    assert layer(x[0]).grad_fn.next_functions[2] == (None, 0)
    layer.bias.requires_grad_(False)
    layer.weight.requires_grad_(True)
    product = layer(kobai.ones(3, 2, 4).transpose(0, 1)).grad_fn.next_functions[0][0].next_functions[0][0]
    assert [f and f.name() for f, _ in product.next_functions] == [None, "TBackward0"]


def test_results_of_products_that_are_no_views():
    layer = nn.Linear(4, 2, bias=False)
    assert not layer(leaf(4))._is_view() and not layer(leaf(2, 3, 4))._is_view() and not (leaf(4) @ leaf(4, 5))._is_view()
    y = nn.Linear(4, 2)(leaf(3, 2, 4).transpose(0, 1))
    y += 1
    assert not y._is_view()


def test_what_stands_behind_attention_with_dropout():
    q, k, v = leaf(1, 2, 3, 4), leaf(1, 2, 3, 4), leaf(1, 2, 3, 4)
    node = F.scaled_dot_product_attention(q, k, v.sin(), kobai.zeros(3, 3), dropout_p=0.5).grad_fn
    scores = ["UnsafeViewBackward0", "BmmBackward0", "ViewBackward0", "ExpandBackward0"]
    assert chain(node) == [*scores, "MulBackward0", "SafeSoftmaxBackward0", "AddBackward0", *scores, "MulBackward1",
                           "torch::autograd::AccumulateGrad"]
    assert chain(node.next_functions[0][0].next_functions[1][0])[2:] == ["SinBackward0", "torch::autograd::AccumulateGrad"]
    x = kobai.linalg.solve(leaf(2, 2) + kobai.eye(2), leaf(2).exp()).grad_fn
    assert [f.name() for f, _ in x.next_functions] == ["AddBackward0", "ExpBackward0"]


def test_what_a_node_shows_when_the_one_before_it_was_freed():
    """A loss shows the scores that the log_softmax before it keeps, if it still does: dir() raised."""
    scores = kobai.ones(2, 3, requires_grad=True).log_softmax(1)
    loss = kobai.nn.functional.nll_loss(scores, kobai.tensor([0, 2]))
    assert loss.grad_fn._saved_self is not None
    scores.sum().backward()
    assert "_saved_target" in dir(loss.grad_fn) and "_saved_self" not in dir(loss.grad_fn)
