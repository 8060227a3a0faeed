"""Averages of weights: the arithmetic they are defined by, and rates of PyTorch 2.13's SWALR."""
import numpy as np
import pytest

import kobai
from kobai import nn, optim
from kobai.optim import swa_utils as W


class Scale(nn.Module):
    """One weight, one buffer and one integer buffer."""

    def __init__(self, w=0.0):
        super().__init__()
        self.w = nn.Parameter(kobai.tensor([w, 2 * w]))
        self.register_buffer("seen", kobai.tensor([w]))

    def forward(self, x):
        return x * self.w


def follow(average, values):
    """Update with a model whose weight takes these values; the averaged weights after each."""
    model, seen = Scale(), []
    for v in values:
        with kobai.no_grad():
            model.w.copy_(kobai.tensor([v, 2 * v]))
            model.seen.fill_(v)
        average.update_parameters(model)
        seen.append(average.module.w[0].item())
    return seen


def test_the_default_is_the_mean():
    average = W.AveragedModel(Scale())
    assert follow(average, (1.0, 2.0, 6.0, 7.0)) == pytest.approx([1.0, 1.5, 3.0, 4.0])
    assert average.n_averaged.item() == 4
    np.testing.assert_allclose(average(kobai.tensor([1.0, 1.0])).detach().numpy(), [4.0, 8.0])


@pytest.mark.parametrize("options", [
    {"avg_fn": W.get_ema_avg_fn(0.75)}, {"multi_avg_fn": W.get_ema_multi_avg_fn(0.75)}])
def test_exponential_moving_average(options):
    """The first is copied; then a = 0.75 a + 0.25 w."""
    assert follow(W.AveragedModel(Scale(), **options), (4.0, 8.0, 0.0)) == pytest.approx([4.0, 5.0, 3.75])


@pytest.mark.parametrize("options", [
    {"avg_fn": W.get_swa_avg_fn()}, {"multi_avg_fn": W.get_swa_multi_avg_fn()}])
def test_means_given_as_functions(options):
    assert follow(W.AveragedModel(Scale(), **options), (1.0, 2.0, 6.0)) == pytest.approx([1.0, 1.5, 3.0])


def test_an_average_of_ones_own():
    largest = W.AveragedModel(Scale(), avg_fn=lambda a, p, n: kobai.maximum(a, p))
    assert follow(largest, (1.0, 3.0, 2.0)) == [1.0, 3.0, 3.0]


def test_buffers_are_copied_or_averaged():
    copied, averaged = W.AveragedModel(Scale()), W.AveragedModel(Scale(), use_buffers=True)
    follow(copied, (1.0, 3.0)), follow(averaged, (1.0, 3.0))
    assert copied.module.seen.item() == 3.0 and averaged.module.seen.item() == 2.0


def test_the_model_is_copied_and_can_be_saved():
    model = Scale(1.0)
    average = W.AveragedModel(model)
    average.update_parameters(model)
    with kobai.no_grad():
        model.w.zero_()
    assert average.module.w[0].item() == 1.0
    assert list(average.state_dict()) == ["n_averaged", "module.w", "module.seen"]


def test_update_bn_computes_statistics_anew():
    """Running statistics become the mean over batches of each batch's mean and unbiased variance."""
    batches = [np.random.RandomState(i).randn(4, 2).astype(np.float32) + i for i in range(3)]
    model = nn.Sequential(nn.BatchNorm1d(2, momentum=0.3))
    model.eval()
    W.update_bn([(kobai.from_numpy(b), "label") for b in batches], model)
    norm = model[0]
    mean, var = np.mean([b.mean(0) for b in batches], 0), np.mean([b.var(0, ddof=1) for b in batches], 0)
    np.testing.assert_allclose(norm.running_mean.numpy(), mean, rtol=1e-5)
    np.testing.assert_allclose(norm.running_var.numpy(), var, rtol=1e-5)
    assert norm.momentum == 0.3 and not model.training


def test_rates_of_swalr():
    """PyTorch 2.13: cosine from 0.5 to 0.05 in 4 epochs, then constant."""
    opt = optim.SGD([kobai.ones(1, requires_grad=True)], lr=0.5)
    schedule, rates = W.SWALR(opt, 0.05, anneal_epochs=4), []
    for _ in range(6):
        opt.step()
        schedule.step()
        rates.append(opt.param_groups[0]["lr"])
    expected = [0.05 + 0.45 * (1 + np.cos(np.pi * min(t, 4) / 4)) / 2 for t in range(1, 7)]
    assert rates == pytest.approx(expected)


def test_messages():
    with pytest.raises(ValueError, match="^Invalid decay value 2.0 provided. Please provide a value in "):
        W.get_ema_avg_fn(2.0)
    with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn should be provided"):
        W.AveragedModel(Scale(), avg_fn=W.get_swa_avg_fn(), multi_avg_fn=W.get_swa_multi_avg_fn())
    opt = optim.SGD([kobai.ones(1, requires_grad=True)], lr=0.5)
    with pytest.raises(ValueError, match="anneal_strategy must be one of 'cos' or 'linear', instead got x"):
        W.SWALR(opt, 0.1, anneal_strategy="x")
    with pytest.raises(ValueError, match="anneal_epochs must be equal or greater than 0, got -1"):
        W.SWALR(opt, 0.1, anneal_epochs=-1)
