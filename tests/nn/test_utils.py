"""nn.utils: clipping, vectors, functional calls, parametrizations, fusion, pruning. Numbers are PyTorch's."""
import copy
import pickle
import warnings

import pytest

import kobai
from kobai import nn
from kobai.nn import utils
from kobai.nn.utils import parametrizations, parametrize, prune


def with_grads(*values):
    params = [nn.Parameter(kobai.zeros(len(v))) for v in values]
    for p, v in zip(params, values):
        p.grad = kobai.tensor(v)
    return params


# -------------------------------------------------------------------- gradients
@pytest.mark.parametrize("norm, total, clipped", [
    (2.0, 13.0, [3 / 13, 4 / 13]), (1.0, 19.0, [3 / 19, 4 / 19]), (float("inf"), 12.0, [0.25, 1 / 3]),
])
def test_clip_grad_norm(norm, total, clipped):
    params = with_grads([3.0, 4.0], [12.0])
    assert utils.clip_grad_norm_(params, 1.0, norm).item() == pytest.approx(total)
    assert params[0].grad.tolist() == pytest.approx(clipped, rel=1e-5)


def test_small_gradients_are_not_enlarged():
    params = with_grads([0.3, 0.4])
    utils.clip_grad_norm_(iter(params), 1.0)
    assert params[0].grad.tolist() == pytest.approx([0.3, 0.4])
    utils.clip_grad_norm_(params[0], 0.05)
    assert params[0].grad.tolist() == pytest.approx([0.03, 0.04], rel=1e-4)


def test_clip_grad_norm_complains():
    params = with_grads([float("nan")])
    with pytest.raises(RuntimeError, match="The total norm of order 2.0 for gradients from `parameters` is"):
        utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    with pytest.warns(UserWarning, match="`parameters` is an empty generator"):
        utils.clip_grad_norm_((p for p in []), 1.0)


def test_clip_grad_value():
    params = with_grads([3.0, -4.0, 0.5])
    utils.clip_grad_value_(params, 1)
    assert params[0].grad.tolist() == [1.0, -1.0, 0.5]


def test_parameters_as_a_vector():
    layer = nn.Linear(2, 1)
    vector = utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (3,) and vector.requires_grad
    utils.vector_to_parameters(kobai.tensor([1.0, 2.0, 3.0]), layer.parameters())
    assert layer.weight.tolist() == [[1.0, 2.0]] and layer.bias.tolist() == [3.0]


# -------------------------------------------------------------- functional calls
def test_functional_call_replaces_and_restores():
    net = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1))
    before = net[0].weight
    given = {k: v.clone() for k, v in net.state_dict().items()}
    given["0.weight"] = kobai.tensor([[1.0, 1.0]], requires_grad=True)
    net.eval()
    out = kobai.func.functional_call(net, given, (kobai.ones(3, 2),))
    out.sum().backward()
    assert net[0].weight is before and before.grad is None
    assert given["0.weight"].grad is not None


def test_functional_call_ties_and_checks():
    net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    net[1].weight = net[0].weight
    call = kobai.func.functional_call
    assert call(net, {"0.weight": kobai.tensor([[3.0]])}, kobai.ones(1, 1)).item() == 9.0
    with pytest.raises(ValueError, match="appeared in multiple dictionaries"):
        call(net, ({"0.weight": 1}, {"0.weight": 2}), kobai.ones(1, 1))
    with pytest.raises((RuntimeError, AttributeError, KeyError)):
        call(net, {"nope.weight": kobai.ones(1, 1)}, kobai.ones(1, 1), strict=True)


def test_skip_init_leaves_the_generator_alone():
    kobai.manual_seed(0)
    expected = kobai.rand(1).item()
    kobai.manual_seed(0)
    layer = utils.skip_init(nn.Linear, 3, 2)
    assert layer.weight.shape == (2, 3) and layer.weight.requires_grad
    assert kobai.rand(1).item() == expected


# -------------------------------------------------------------- parametrizations
class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).transpose(-1, -2)

    def right_inverse(self, a):
        return a.triu()


def test_a_parametrized_weight():
    layer = nn.Linear(3, 3)
    original = layer.weight
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert kobai.equal(layer.weight, layer.weight.T)
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert layer.parametrizations.weight.original is original
    layer(kobai.ones(1, 3)).sum().backward()
    assert original.grad is not None and not isinstance(layer.weight, nn.Parameter)
    layer.weight = kobai.eye(3)
    assert kobai.equal(layer.weight, kobai.eye(3))
    assert repr(layer) == (
        "ParametrizedLinear(\n"
        "  in_features=3, out_features=3, bias=True\n"
        "  (parametrizations): ModuleDict(\n"
        "    (weight): ParametrizationList(\n"
        "      (0): Symmetric()\n"
        "    )\n"
        "  )\n"
        ")")


def test_removing_a_parametrization():
    for leave in (True, False):
        layer = nn.Linear(3, 3)
        parametrize.register_parametrization(layer, "weight", Symmetric())
        layer.weight = 2 * kobai.ones(3, 3)
        assert parametrize.is_parametrized(layer) and parametrize.is_parametrized(layer, "weight")
        assert not parametrize.is_parametrized(layer, "bias")
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=leave)
        assert type(layer) is nn.Linear and isinstance(layer.weight, nn.Parameter)
        assert float(layer.weight.sum()) == (18.0 if leave else 12.0)


def test_chained_parametrizations_and_caching():
    class Counted(nn.Module):
        calls = 0

        def forward(self, x):
            Counted.calls += 1
            return x * 2

    layer = nn.Linear(2, 2)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    parametrize.register_parametrization(layer, "weight", Counted())
    assert kobai.equal(layer.weight, layer.weight.T)
    Counted.calls = 0
    with parametrize.cached():
        assert layer.weight is layer.weight
    assert Counted.calls == 1
    twin = copy.deepcopy(layer)
    twin.parametrizations.weight.original.data.zero_()
    assert float(twin.weight.abs().sum()) == 0 and float(layer.weight.abs().sum()) > 0
    with pytest.raises(RuntimeError, match="Serialization of parametrized modules is only supported through"):
        pickle.dumps(layer)


def test_parametrization_errors():
    layer = nn.Linear(2, 3)
    with pytest.raises(ValueError, match="does not have a parameter, a buffer, or a parametrized element"):
        parametrize.register_parametrization(layer, "nope", Symmetric())
    with pytest.raises(ValueError, match="does not have a parametrization on weight"):
        parametrize.remove_parametrizations(layer, "weight")


def test_weight_norm():
    kobai.manual_seed(0)
    layer = nn.Linear(3, 2)
    weight = layer.weight.detach().clone()
    parametrizations.weight_norm(layer)
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original0",
                                        "parametrizations.weight.original1"]
    assert kobai.allclose(layer.weight, weight)
    layer.parametrizations.weight.original0.data.mul_(2)
    assert kobai.allclose(layer.weight, 2 * weight)


def test_the_hook_says_what_took_its_place():
    with pytest.warns(FutureWarning, match=r"weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations"):
        utils.weight_norm(nn.Linear(2, 2))


@pytest.mark.filterwarnings("ignore")
def test_weight_norm_as_a_hook():
    kobai.manual_seed(0)
    layer = nn.Conv1d(2, 3, 2)
    weight, x = layer.weight.detach().clone(), kobai.randn(1, 2, 4)
    expected = layer(x)
    utils.weight_norm(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight_g", "weight_v"]
    assert layer.weight_g.shape == (3, 1, 1) and kobai.allclose(layer(x), expected, atol=1e-6)
    layer(x).sum().backward()
    assert layer.weight_g.grad is not None and layer.weight_v.grad is not None
    utils.remove_weight_norm(layer)
    assert isinstance(layer.weight, nn.Parameter) and kobai.allclose(layer.weight, weight, atol=1e-6)
    assert not layer._forward_pre_hooks
    with pytest.raises(ValueError, match="weight_norm of 'weight' not found in"):
        utils.remove_weight_norm(layer)


@pytest.mark.parametrize("make", [parametrizations.spectral_norm, utils.spectral_norm])
def test_spectral_norm(make):
    kobai.manual_seed(0)
    layer = make(nn.Linear(4, 3))
    for _ in range(50):
        layer(kobai.ones(1, 4))
    largest = kobai.linalg.matrix_norm(layer.weight.detach(), 2)
    assert largest.item() == pytest.approx(1.0, abs=1e-3)
    layer.eval()
    assert kobai.equal(layer(kobai.ones(1, 4)), layer(kobai.ones(1, 4)))


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
@pytest.mark.parametrize("how", [None, "matrix_exp", "cayley", "householder"])
def test_orthogonal(shape, how):
    kobai.manual_seed(0)
    layer = parametrizations.orthogonal(nn.Linear(*shape), orthogonal_map=how)
    w = layer.weight.detach()
    small = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    assert kobai.allclose(small, kobai.eye(len(small)), atol=1e-5)
    start = kobai.nn.init.orthogonal_(kobai.empty(*reversed(shape)))
    layer.weight = start
    assert kobai.allclose(layer.weight, start, atol=1e-5)
    layer(kobai.ones(1, shape[0])).sum().backward()
    assert layer.parametrizations.weight.original.grad is not None


# ------------------------------------------------------------------------ fusion
def test_fusing_a_convolution_with_batch_norm():
    kobai.manual_seed(0)
    conv, bn, x = nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), kobai.randn(4, 2, 5, 5)
    bn(conv(x))
    nn.init.uniform_(bn.weight)
    conv.eval(), bn.eval()
    fused = utils.fuse_conv_bn_eval(conv, bn)
    assert kobai.allclose(fused(x), bn(conv(x)), atol=1e-5) and isinstance(fused, nn.Conv2d)


def test_fusing_a_linear_layer_with_batch_norm():
    kobai.manual_seed(0)
    linear, bn, x = nn.Linear(2, 3, bias=False).eval(), nn.BatchNorm1d(3).eval(), kobai.randn(4, 2)
    bn.running_mean.fill_(0.5)
    assert kobai.allclose(utils.fuse_linear_bn_eval(linear, bn)(x), bn(linear(x)), atol=1e-6)


# ----------------------------------------------------------------------- pruning
def layer_of(values):
    layer = nn.Linear(len(values[0]), len(values), bias=False)
    with kobai.no_grad():
        layer.weight.copy_(kobai.tensor(values))
    return layer


def test_pruning_the_smallest():
    layer = prune.l1_unstructured(layer_of([[1.0, -4.0], [3.0, 2.0]]), "weight", amount=0.5)
    assert layer.weight.tolist() == [[0.0, -4.0], [3.0, 0.0]]
    assert sorted(layer.state_dict()) == ["weight_mask", "weight_orig"] and prune.is_pruned(layer)
    prune.l1_unstructured(layer, "weight", amount=1)        # of what is left
    assert layer.weight.tolist() == [[0.0, -4.0], [0.0, 0.0]]
    layer(kobai.ones(1, 2)).sum().backward()
    assert layer.weight_orig.grad.tolist() == [[0.0, 1.0], [0.0, 0.0]]
    prune.remove(layer, "weight")
    assert isinstance(layer.weight, nn.Parameter) and not prune.is_pruned(layer)
    assert layer.weight.tolist() == [[0.0, -4.0], [0.0, 0.0]]


def test_pruning_rows_and_by_mask():
    layer = prune.ln_structured(layer_of([[1.0, 1.0], [3.0, 2.0]]), "weight", amount=1, n=2, dim=0)
    assert layer.weight.tolist() == [[0.0, 0.0], [3.0, 2.0]]
    layer = prune.custom_from_mask(layer_of([[1.0, 2.0]]), "weight", kobai.tensor([[0.0, 1.0]]))
    assert layer.weight.tolist() == [[0.0, 2.0]]


def test_pruning_globally():
    a, b = layer_of([[1.0, 8.0]]), layer_of([[5.0, 2.0]])
    prune.global_unstructured([(a, "weight"), (b, "weight")], prune.L1Unstructured, amount=2)
    assert a.weight.tolist() == [[0.0, 8.0]] and b.weight.tolist() == [[5.0, 0.0]]


def test_pruning_at_random_takes_pytorchs_elements():
    layer = layer_of([[1.0, 2.0, 3.0, 4.0]])
    kobai.manual_seed(0)                                    # rand(4): 0.4963 0.7682 0.0885 0.1320
    prune.random_unstructured(layer, "weight", amount=2)
    assert layer.weight_mask.tolist() == [[0.0, 0.0, 1.0, 1.0]]


@pytest.mark.parametrize("fn, exc, text", [
    (lambda: prune.l1_unstructured(nn.Linear(1, 1), "weight", "a"), TypeError,
     "Invalid type for amount: a."),
    (lambda: prune.l1_unstructured(nn.Linear(1, 1), "weight", 2.5), ValueError,
     "amount=2.5 should either be"),
    (lambda: prune.l1_unstructured(nn.Linear(1, 1), "weight", 5), ValueError,
     "amount=5 should be smaller than the number of parameters to prune=1"),
    (lambda: prune.remove(nn.Linear(1, 1), "weight"), ValueError,
     "Parameter 'weight' of module Linear(in_features=1, out_features=1, bias=True) has to be pruned before"),
])
def test_pruning_errors(fn, exc, text):
    with pytest.raises(exc) as caught:
        fn()
    assert str(caught.value).startswith(text)


def test_everything_public_is_there():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert all(getattr(utils, name) is not None for name in utils.__all__)
