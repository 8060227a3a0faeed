"""state_dict and load_state_dict: names, messages, hooks, `assign`. Messages are PyTorch's."""
import pytest

import kobai
from kobai import nn


def net():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


NAMES = ["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
         "1.num_batches_tracked"]


def test_names_and_sharing():
    model = net()
    state = model.state_dict()
    assert list(state) == NAMES
    assert not state["0.weight"].requires_grad
    state["0.bias"].fill_(7)
    assert model[0].bias.tolist() == [7.0, 7.0, 7.0]
    assert model.state_dict(keep_vars=True)["0.bias"] is model[0].bias
    assert list(model.state_dict(prefix="m."))[0] == "m.0.weight"
    assert state._metadata["1"] == {"version": 2} and state._metadata[""] == {"version": 1}


def test_loading_copies_and_reports():
    source, target = net(), net()
    weight = target[0].weight
    result = target.load_state_dict(source.state_dict())
    assert repr(result) == str(result) == "<All keys matched successfully>"
    assert target[0].weight is weight and bool((weight == source[0].weight).all())
    with kobai.no_grad():
        weight.fill_(0)
    assert float(source[0].weight.abs().sum()) > 0


def test_all_that_is_wrong_is_listed():
    model = net()
    state = model.state_dict()
    del state["0.bias"]
    state["extra"] = kobai.ones(1)
    state["1.more"] = kobai.ones(1)
    state["0.weight"] = kobai.ones(5, 2)
    with pytest.raises(RuntimeError) as caught:
        model.load_state_dict(state)
    assert str(caught.value).split("\n  cause:")[0] == (
        "Error(s) in loading state_dict for Sequential:\n"
        '\tMissing key(s) in state_dict: "0.bias". \n'
        '\tUnexpected key(s) in state_dict: "extra", "1.more". \n'
        "\tsize mismatch for 0.weight: copying a param with shape torch.Size([5, 2]) from checkpoint, "
        "the shape in current model is torch.Size([3, 2]).")


def test_not_strict_returns_the_names():
    model = net()
    state = model.state_dict()
    del state["0.bias"]
    state["extra"] = kobai.ones(1)
    result = model.load_state_dict(state, strict=False)
    assert result.missing_keys == ["0.bias"] and result.unexpected_keys == ["extra"]
    assert repr(result) == "_IncompatibleKeys(missing_keys=['0.bias'], unexpected_keys=['extra'])"


def test_a_size_mismatch_is_an_error_even_if_not_strict():
    with pytest.raises(RuntimeError, match="size mismatch for weight"):
        nn.Linear(2, 2).load_state_dict({"weight": kobai.ones(3, 3)}, strict=False)


def test_what_is_not_a_tensor():
    with pytest.raises(RuntimeError) as caught:
        nn.Linear(1, 1, bias=False).load_state_dict({"weight": 3})
    assert ('While copying the parameter named "weight", expected torch.Tensor or Tensor-like object from '
            "checkpoint but received <class 'int'>") in str(caught.value)
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like, got <class 'list'>."):
        nn.Linear(1, 1).load_state_dict([])


def test_dtype_is_converted_by_copying_and_kept_by_assigning():
    model = nn.Linear(1, 1, bias=False)
    given = {"weight": kobai.ones(1, 1, dtype=kobai.float64)}
    model.load_state_dict(given)
    assert model.weight.dtype == kobai.float32
    model.weight.requires_grad_(False)
    model.load_state_dict(given, assign=True)
    assert model.weight.dtype == kobai.float64 and isinstance(model.weight, nn.Parameter)
    assert not model.weight.requires_grad


def test_a_checkpoint_without_batch_counts_loads():
    """BatchNorm's first format had no `num_batches_tracked` (PyTorch before 0.4.1)."""
    model = nn.BatchNorm1d(2)
    state = {k: v for k, v in model.state_dict().items() if k != "num_batches_tracked"}
    model.load_state_dict(state)
    assert int(model.num_batches_tracked) == 0


def test_extra_state():
    class Extra(nn.Module):
        value = 1

        def get_extra_state(self):
            return {"value": self.value}

        def set_extra_state(self, state):
            self.value = state["value"]

    model, other = nn.Sequential(Extra()), nn.Sequential(Extra())
    model[0].value = 5
    state = model.state_dict()
    assert dict(state) == {"0._extra_state": {"value": 5}}
    other.load_state_dict(state)
    assert other[0].value == 5
    with pytest.raises(RuntimeError, match='Missing key.*"0._extra_state"'):
        other.load_state_dict({})


def test_hooks_take_part():
    model, calls = nn.Linear(1, 1), []
    model.register_state_dict_pre_hook(lambda m, prefix, keep: calls.append(("saving", prefix)))
    model.register_state_dict_post_hook(lambda m, state, prefix, meta: calls.append(("saved", len(state))))
    state = model.state_dict()
    assert calls == [("saving", ""), ("saved", 2)]

    def rename(module, state, prefix, *rest):
        state[prefix + "weight"] = state.pop(prefix + "w")

    model.register_load_state_dict_pre_hook(rename)
    model.register_load_state_dict_post_hook(lambda m, keys: calls.append(tuple(keys)))
    model.load_state_dict({"w": state["weight"], "bias": state["bias"]})
    assert calls[-1] == ([], [])


def test_a_hook_may_forgive():
    model = nn.Linear(1, 1)
    model.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
    assert repr(model.load_state_dict({})) == "<All keys matched successfully>"


def test_a_user_may_override_loading():
    class Halved(nn.Linear):
        def _load_from_state_dict(self, state_dict, prefix, *args):
            state_dict[prefix + "weight"] = state_dict[prefix + "weight"] / 2
            super()._load_from_state_dict(state_dict, prefix, *args)

    model = nn.Sequential(Halved(1, 1, bias=False))
    model.load_state_dict({"0.weight": kobai.ones(1, 1)})
    assert model[0].weight.item() == 0.5
