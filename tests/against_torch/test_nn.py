"""kobai.nn beside torch.nn: same names, signatures, printout, starting values, outputs, gradients, errors."""
import inspect
import warnings

import numpy as np
import pytest

import kobai
from kobai import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

LAYERS = sorted(name for name in nn.__all__ if isinstance(getattr(nn, name), type))


def to_kobai(value):
    """Torch tensors, also inside containers, as kobai's."""
    if isinstance(value, torch.Tensor):
        return kobai.from_numpy(value.detach().numpy().copy()).requires_grad_(value.requires_grad)
    if isinstance(value, (tuple, list)):
        return type(value)(map(to_kobai, value))
    return value


def numbers(value):
    """All arrays in an output, in order."""
    if isinstance(value, (kobai.Tensor, torch.Tensor)):
        return [value.detach().numpy()]
    return [a for v in value or () for a in numbers(v)]


# ------------------------------------------------------------------- the surface
def test_every_name_is_there():
    assert {n for n in dir(torch.nn) if n[0].isupper()} <= set(nn.__all__)
    assert {n for n in vars(torch.nn.init) if n.endswith("_") and not n.startswith("_")} <= set(vars(nn.init))


@pytest.mark.parametrize("name", LAYERS)
def test_constructors_take_the_same_arguments(name):
    theirs = inspect.signature(getattr(torch.nn, name)).parameters
    ours = inspect.signature(getattr(nn, name)).parameters
    if any(p.kind is p.VAR_POSITIONAL for p in theirs.values()):
        return
    ours = {k: p for k, p in ours.items() if p.kind is not p.VAR_KEYWORD}
    theirs = {k: p for k, p in theirs.items() if p.kind is not p.VAR_KEYWORD}
    assert list(theirs) == list(ours)[:len(theirs)]
    for key in theirs:
        a, b = theirs[key].default, ours[key].default
        if not callable(a):
            assert a == b, key


@pytest.mark.parametrize("name", LAYERS)
def test_forward_takes_the_same_arguments(name):
    if not hasattr(getattr(torch.nn, name), "forward"):
        return
    theirs = inspect.signature(getattr(torch.nn, name).forward).parameters
    ours = inspect.signature(getattr(nn, name).forward).parameters
    if not any(p.kind is p.VAR_POSITIONAL for p in theirs.values()):
        assert list(ours)[:len(theirs)] == list(theirs)


def test_modules_have_the_same_methods():
    theirs = {n for n in dir(torch.nn.Module) if not n.startswith("_")}
    missing = theirs - set(dir(nn.Module)) - {"T_destination", "dump_patches", "ipu", "mtia", "xpu"}
    assert not missing


# ------------------------------------------------------------------- whole layers
NETWORKS = [
    ("nn.Linear(3, 2)", [(4, 3)]),
    ("nn.Bilinear(2, 3, 4)", [(5, 2), (5, 3)]),
    ("nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.PReLU(), nn.Linear(4, 1))", [(6, 3)]),
    ("nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), "
     "nn.Linear(16, 3))",
     [(2, 1, 4, 4)]),
    ("nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1, groups=2)", [(1, 2, 4, 4)]),
    ("nn.Conv1d(4, 4, 3, padding='same', padding_mode='circular', dilation=2)", [(2, 4, 9)]),
    ("nn.Sequential(nn.GroupNorm(2, 4), nn.InstanceNorm1d(4, affine=True), nn.LayerNorm(5))", [(3, 4, 5)]),
    ("nn.Sequential(nn.RMSNorm(5), nn.GELU(), nn.Softmax(-1))", [(3, 5)]),
    ("nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True)", [(2, 5, 3)]),
    ("nn.LSTM(3, 4, proj_size=2)", [(5, 3)]),
    ("nn.GRU(3, 4, num_layers=2, bias=False)", [(5, 2, 3)]),
    ("nn.RNN(3, 4, nonlinearity='relu')", [(5, 2, 3)]),
    ("nn.MultiheadAttention(4, 2, kdim=3, vdim=5)", [(3, 2, 4), (6, 2, 3), (6, 2, 5)]),
    ("nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0), 2)", [(3, 2, 4)]),
    ("nn.Transformer(4, 2, 1, 1, 8, dropout=0.0, batch_first=True)", [(2, 3, 4), (2, 5, 4)]),
    ("nn.LazyConv1d(3, 2)", [(1, 2, 5)]),
    ("nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d())", [(4, 2)]),
]


@pytest.mark.parametrize("text, shapes", NETWORKS, ids=[row[0] for row in NETWORKS])
def test_same_seed_same_network(text, shapes):
    torch.manual_seed(1)
    theirs = eval(text, {"nn": torch.nn})
    inputs = [torch.randn(shape, requires_grad=True) for shape in shapes]
    kobai.manual_seed(1)
    ours = eval(text, {"nn": nn})
    mine = [kobai.randn(shape, requires_grad=True) for shape in shapes]
    assert repr(ours) == repr(theirs)
    expected, got = theirs(*inputs), ours(*mine)
    for e, g in zip(numbers(expected), numbers(got)):
        np.testing.assert_allclose(g, e, rtol=1e-4, atol=1e-5)
    first = [v[0] if isinstance(v, tuple) else v for v in (expected, got)]
    for value in first:
        (value * value).sum().backward()
    for e, g in zip(inputs, mine):
        np.testing.assert_allclose(g.grad.numpy(), e.grad.numpy(), rtol=1e-3, atol=1e-4)
    for (name, e), (_, g) in zip(theirs.named_parameters(), ours.named_parameters(), strict=True):
        np.testing.assert_allclose(g.detach().numpy(), e.detach().numpy(), rtol=1e-6, err_msg=name)
        if e.grad is not None:
            np.testing.assert_allclose(g.grad.numpy(), e.grad.numpy(), rtol=1e-3, atol=1e-4, err_msg=name)
    for (name, e), (_, g) in zip(theirs.named_buffers(), ours.named_buffers(), strict=True):
        np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("text, shapes", NETWORKS, ids=[row[0] for row in NETWORKS])
def test_state_goes_both_ways(text, shapes):
    theirs, ours = eval(text, {"nn": torch.nn}), eval(text, {"nn": nn})
    inputs = [torch.randn(shape) for shape in shapes]
    theirs(*inputs), ours(*to_kobai(inputs))            # lazy layers find their shapes
    ours.load_state_dict({k: to_kobai(v) for k, v in theirs.state_dict().items()})
    theirs.eval(), ours.eval()
    for e, g in zip(numbers(theirs(*inputs)), numbers(ours(*to_kobai(inputs)))):
        np.testing.assert_allclose(g, e, rtol=1e-4, atol=1e-5)
    theirs.load_state_dict({k: torch.from_numpy(v.numpy().copy()) for k, v in ours.state_dict().items()})
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert dict(ours.state_dict()._metadata) == dict(theirs.state_dict()._metadata)


def test_batch_norm_remembers_as_torch_does():
    for momentum in (0.1, 0.5, None):
        theirs, ours = torch.nn.BatchNorm1d(3, momentum=momentum), nn.BatchNorm1d(3, momentum=momentum)
        for _ in range(4):
            x = torch.randn(5, 3) * 3 + 1
            theirs(x), ours(to_kobai(x))
        for e, g in zip(theirs.buffers(), ours.buffers()):
            np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-5, atol=1e-6)


def test_dropout_draws_the_same_elements():
    for name in ("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout"):
        torch.manual_seed(3), kobai.manual_seed(3)
        shape = (2, 4, 3, 3) if name == "Dropout2d" else (2, 4, 3)
        e, g = getattr(torch.nn, name)(0.3)(torch.ones(shape)), getattr(nn, name)(0.3)(kobai.ones(shape))
        np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-6)


# ------------------------------------------------------------------------- masks
def masks(causal, padding):
    attn = torch.triu(torch.full((3, 3), float("-inf")), 1) if causal == "float" else (
        torch.triu(torch.ones(3, 3), 1).bool() if causal else None)
    return attn, (torch.tensor([[False, False, True], [False, False, False]]) if padding else None)


@pytest.mark.parametrize("padding", [False, True])
@pytest.mark.parametrize("causal", [None, "bool", "float"])
def test_masked_encoder(causal, padding):
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    theirs = torch.nn.TransformerEncoder(layer, 2)
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    ours = nn.TransformerEncoder(layer, 2)
    ours.load_state_dict({k: to_kobai(v) for k, v in theirs.state_dict().items()})
    x = torch.randn(2, 3, 4)
    mask, pad = masks(causal, padding)
    if causal == "float" and padding:
        pad = torch.zeros(2, 3).masked_fill(pad, float("-inf"))
    e = theirs(x, mask=mask, src_key_padding_mask=pad)
    g = ours(to_kobai(x), mask=to_kobai(mask), src_key_padding_mask=to_kobai(pad))
    np.testing.assert_allclose(g.detach().numpy(), e.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("average", [True, False])
def test_attention_weights(average):
    torch.manual_seed(0)
    theirs, ours = torch.nn.MultiheadAttention(4, 2), nn.MultiheadAttention(4, 2)
    ours.load_state_dict({k: to_kobai(v) for k, v in theirs.state_dict().items()})
    q, k = torch.randn(3, 2, 4), torch.randn(5, 2, 4)
    e = theirs(q, k, k, average_attn_weights=average)
    g = ours(*to_kobai((q, k, k)), average_attn_weights=average)
    for a, b in zip(numbers(e), numbers(g)):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)
    assert ours(*to_kobai((q, k, k)), need_weights=False)[1] is None


# ------------------------------------------------------------------------ errors
WRONG = [
    "nn.Linear(2, 3)(T.ones(4, 5))",
    "nn.Conv2d(2, 3, 3)(T.ones(1, 4, 5, 5))",
    "nn.Conv2d(3, 4, 2, groups=2)",
    "nn.Conv2d(2, 4, 2, groups=0)",
    "nn.Conv1d(2, 3, 3, padding='full')",
    "nn.Conv1d(2, 3, 3, stride=2, padding='same')",
    "nn.Conv1d(2, 3, 3, padding_mode='mirror')",
    "nn.ConvTranspose1d(2, 2, 3, padding_mode='reflect')",
    "nn.BatchNorm1d(3)(T.ones(2, 3, 4, 5))",
    "nn.BatchNorm2d(3)(T.ones(2, 3))",
    "nn.InstanceNorm2d(3)(T.ones(2, 3))",
    "nn.InstanceNorm1d(3, affine=True)(T.ones(2, 4, 5))",
    "nn.GroupNorm(2, 3)",
    "nn.Dropout(1.5)",
    "nn.Softmax2d()(T.ones(2, 3))",
    "nn.Embedding(3, 2, padding_idx=5)",
    "nn.Embedding(3, 2, _weight=T.ones(2, 2))",
    "nn.Embedding.from_pretrained(T.ones(2))",
    "nn.MultiheadAttention(5, 2)",
    "nn.MultiheadAttention(0, 2)",
    "nn.TransformerEncoderLayer(4, 2, activation='tanh')",
    "nn.Transformer(4, 2, 1, 1, 8)(T.ones(3, 2, 4), T.ones(3, 5, 4))",
    "nn.Transformer(4, 2, 1, 1, 8)(T.ones(3, 2, 5), T.ones(3, 2, 5))",
    "nn.MultiMarginLoss(p=3)",
    "nn.TripletMarginLoss(margin=-1)",
    "nn.FractionalMaxPool2d(2)",
    "nn.FractionalMaxPool2d(2, output_size=2, output_ratio=0.5)",
    "nn.FractionalMaxPool2d(2, output_ratio=2.0)",
    "nn.Unflatten(1, 3)",
    "nn.Unflatten(1, (2, 1.5))",
    "nn.Unflatten('c', (('a', 2), ('b', 3)))",
    "nn.AdaptiveLogSoftmaxWithLoss(4, 10, [])",
    "nn.AdaptiveLogSoftmaxWithLoss(4, 10, [5, 3])",
    "nn.AdaptiveLogSoftmaxWithLoss(4, 10, [3])(T.ones(2, 4), T.tensor([1, 10]))",
    "nn.CircularPad1d(1)(T.ones(3))",
    "nn.Bilinear(0, 2, 2)",
    "nn.LazyConv1d(3, 2)(T.ones(2))",
    "nn.ConvTranspose1d(1, 1, 2, stride=2)(T.ones(1, 1, 3), output_size=[9])",
    "nn.Parameter(T.tensor([1, 2]))",
    "nn.utils.rnn.pack_padded_sequence(T.ones(3, 2, 1), [2, 3])",
]


@pytest.mark.parametrize("text", WRONG)
def test_errors_begin_like_torchs(text):
    with pytest.raises(Exception) as theirs:
        eval(text, {"nn": torch.nn, "T": torch})
    with pytest.raises(type(theirs.value)) as ours:
        eval(text, {"nn": nn, "T": kobai})
    first = str(theirs.value).splitlines()[0].split("{")[0].lower()      # sets print in any order
    assert str(ours.value).lower().startswith(first[:60]), (str(theirs.value), str(ours.value))


# ------------------------------------------------------------------- conveniences
@pytest.mark.parametrize("how", ["matrix_exp", "cayley", "householder"])
def test_orthogonal_map_of_the_same_original(how):
    torch.manual_seed(0)
    theirs = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(3, 3), orthogonal_map=how)
    ours = nn.utils.parametrizations.orthogonal(nn.Linear(3, 3), orthogonal_map=how)
    with torch.no_grad():
        theirs.parametrizations.weight.original.add_(torch.randn(3, 3) * 0.1 * (how != "householder"))
    assert list(theirs.state_dict()) == list(ours.state_dict())
    ours.load_state_dict({k: to_kobai(v) for k, v in theirs.state_dict().items()})
    np.testing.assert_allclose(ours.weight.detach().numpy(), theirs.weight.detach().numpy(), atol=1e-5)


def test_pruning_masks_at_random():
    torch_prune = pytest.importorskip("torch.nn.utils.prune")
    for call in ("random_unstructured(m, 'weight', amount=0.4)", "random_structured(m, 'weight', 2, dim=0)",
                 "ln_structured(m, 'weight', 0.5, n=1, dim=1)", "l1_unstructured(m, 'weight', 7)"):
        torch.manual_seed(5), kobai.manual_seed(5)
        theirs, ours = torch.nn.Linear(5, 4), nn.Linear(5, 4)
        eval("p." + call, {"p": torch_prune, "m": theirs})
        eval("p." + call, {"p": nn.utils.prune, "m": ours})
        np.testing.assert_array_equal(ours.weight_mask.numpy(), theirs.weight_mask.numpy(), err_msg=call)


def test_the_oracle_warns_where_we_do():
    for text in ("nn.LSTM(2, 3, dropout=0.5)", "nn.MSELoss(size_average=False)", "nn.Linear(0, 2)"):
        said = []
        for module in (torch.nn, nn):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                eval(text, {"nn": module})
            said.append([str(w.message)[:60] for w in caught])
        assert said[0] == said[1] != []
