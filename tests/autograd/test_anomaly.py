"""Anomaly mode: NaN in backward is an error, NaN in forward a warning; both name the line."""
import warnings

import pytest

import kobai
from kobai.autograd import detect_anomaly, set_detect_anomaly
from kobai.autograd.graph import disable_saved_tensors_hooks, saved_tensors_hooks


def leaf(*values):
    return kobai.tensor(values, requires_grad=True)


def test_backward_names_the_operation_and_its_line():
    w = leaf(0.0, 1.0)
    with set_detect_anomaly(True):
        y = (w.sqrt() * w).sum()
        with pytest.raises(RuntimeError) as e:
            y.backward()
    assert str(e.value).startswith("Function 'SqrtBackward0' returned nan values in its 0th output.")
    assert "y = (w.sqrt() * w).sum()" in str(e.value)


@pytest.mark.parametrize("make", [lambda x: x.log(), lambda x: (x - 1) / (x - 1),
                                  lambda x: (x * kobai.inf).sum(), lambda x: kobai.stack([x, x]).sqrt().max(0).values])
def test_a_nan_that_arises_in_forward_is_reported_once_at_its_line(make):
    x = leaf(1.0, -1.0)
    with set_detect_anomaly(True), pytest.warns(UserWarning, match="A NaN arose in the forward pass") as seen:
        y = make(x) * 2
    ours = [w for w in seen if w.category is UserWarning]  # NumPy has warnings of its own
    assert len(ours) == 1 and ours[0].filename == __file__
    assert y.isnan().any()


def test_a_nan_that_was_there_is_not_reported_and_nothing_is_outside():
    x = leaf(float("nan"), 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        with set_detect_anomaly(True):
            (x * 2).exp()
        leaf(-1.0).log()
        with set_detect_anomaly(True, check_nan=False):
            y = leaf(-1.0).log()
    y.backward()


def test_numbers_are_as_without():
    def train():
        kobai.manual_seed(0)
        model = kobai.nn.Sequential(kobai.nn.Conv1d(2, 3, 2), kobai.nn.ReLU(), kobai.nn.Flatten(), kobai.nn.Linear(9, 2))
        opt = kobai.optim.SGD(model.parameters(), 0.1)
        for _ in range(3):
            opt.zero_grad()
            model(kobai.randn(4, 2, 4)).pow(2).mean().backward()
            opt.step()
        return model[3].weight
    want = train()
    with set_detect_anomaly(True):
        assert train().equal(want)


def test_with_saved_tensors_hooks():
    with set_detect_anomaly(True):
        with disable_saved_tensors_hooks("no"):
            pass
        log = []
        with saved_tensors_hooks(lambda t: log.append(1) or t, lambda t: t), pytest.warns(UserWarning, match="A NaN arose"):
            leaf(-1.0).log()
        assert log == [1]


def test_the_mode_ends():
    from kobai.autograd.mode import modes
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        look = detect_anomaly()
    assert not kobai.is_anomaly_enabled()
    with look:
        assert kobai.is_anomaly_enabled()
        with set_detect_anomaly(False):
            assert not kobai.is_anomaly_enabled() and modes.pack is None
        assert kobai.is_anomaly_enabled()
    assert not kobai.is_anomaly_enabled() and modes.pack is None
    set_detect_anomaly(True)
    assert kobai.is_anomaly_enabled()
    set_detect_anomaly(False)
    assert modes.pack is None
