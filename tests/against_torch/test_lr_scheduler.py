"""Schedules against PyTorch: the same rates to the last bit, and the same checkpoints."""
import copy
import warnings

import pytest

import kobai

torch = pytest.importorskip("torch")

SCHEDULES = [
    "S.StepLR(opt, 3)", "S.MultiStepLR(opt, [0, 2, 5, 5, 9], 0.3)", "S.ConstantLR(opt)", "S.LinearLR(opt)",
    "S.LinearLR(opt, 0.1, 0.0, 7)", "S.ExponentialLR(opt, 0.9)", "S.PolynomialLR(opt, 8, 2.0)",
    "S.CosineAnnealingLR(opt, 4, 0.01)", "S.CosineAnnealingLR(opt, 7)",
    "S.CosineAnnealingWarmRestarts(opt, 2, 2, 0.01)", "S.CosineAnnealingWarmRestarts(opt, 3)",
    "S.LambdaLR(opt, lambda e: 0.95 ** e)", "S.MultiplicativeLR(opt, [lambda e: 0.9, lambda e: 1 / (1 + e)])",
    "S.CyclicLR(opt, 0.01, 0.1, 3)", "S.CyclicLR(opt, 0.01, [0.1, 0.2], 3, 2, mode='triangular2')",
    "S.CyclicLR(opt, 0.01, 0.1, 3, mode='exp_range', gamma=0.9)",
    "S.CyclicLR(opt, 0.01, 0.1, 3, scale_fn=lambda x: 1 / x, cycle_momentum=False)",
    "S.OneCycleLR(opt, 0.3, 20)",
    "S.OneCycleLR(opt, [0.3, 0.1], epochs=5, steps_per_epoch=4, three_phase=True)",
    "S.OneCycleLR(opt, 0.3, 20, anneal_strategy='linear', pct_start=0.5)",
    "W.SWALR(opt, 0.05, 5)", "W.SWALR(opt, [0.05, 0.2], 3, 'linear')", "W.SWALR(opt, 0.05, 0)",
    "S.SequentialLR(opt, [S.ConstantLR(opt), S.StepLR(opt, 2), S.CosineAnnealingLR(opt, 5)], [3, 7])",
    "S.ChainedScheduler([S.ConstantLR(opt), S.ExponentialLR(opt, 0.9)])",
    "S.SequentialLR(opt, [S.SequentialLR(opt, [S.StepLR(opt, 2), S.StepLR(opt, 1)], [4]), S.StepLR(opt, 3)],"
    " [7])",
]


def make(lib, text, kind):
    """(optimizer, schedule) of either package; two groups."""
    a, b = (lib.ones(1, requires_grad=True) for _ in range(2))
    groups = [{"params": [a]}, {"params": [b], "lr": 0.5}]
    opt = lib.optim.SGD(groups, lr=0.1, momentum=0.9) if kind == "SGD" else lib.optim.AdamW(groups, lr=0.1)
    return opt, eval(text, {"S": lib.optim.lr_scheduler, "W": lib.optim.swa_utils, "opt": opt})


def options(opt):
    return [{k: v for k, v in g.items() if k != "params"} for g in opt.param_groups]


@pytest.mark.parametrize("kind", ["SGD", "AdamW"])
@pytest.mark.parametrize("text", SCHEDULES)
def test_rates_momenta_and_checkpoints(text, kind):
    (a, theirs), (b, ours) = make(torch, text, kind), make(kobai, text, kind)
    assert options(a) == options(b)
    for _ in range(18):
        a.step(), b.step()
        theirs.step(), ours.step()
        assert options(a) == options(b)
        assert theirs.get_last_lr() == ours.get_last_lr()
    assert theirs.state_dict() == ours.state_dict()


@pytest.mark.parametrize("text", SCHEDULES)
def test_goes_on_from_pytorchs_checkpoint(text):
    a, theirs = make(torch, text, "SGD")
    for _ in range(6):
        a.step(), theirs.step()
    b, ours = make(kobai, text, "SGD")
    ours.load_state_dict(copy.deepcopy(theirs.state_dict()))
    for group, o in zip(b.param_groups, copy.deepcopy(options(a))):
        group.update(o)
    b.step()
    for _ in range(6):
        a.step(), theirs.step(), ours.step()
        assert options(a) == options(b)


@pytest.mark.parametrize("text", [t for t in SCHEDULES if "Sequential" not in t and "Chained" not in t])
def test_jumping_to_an_epoch(text):
    (a, theirs), (b, ours) = make(torch, text, "SGD"), make(kobai, text, "SGD")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for epoch in (0, 1, 4, 2, 9, 17):
            theirs.step(epoch), ours.step(epoch)
            assert options(a) == options(b)


@pytest.mark.parametrize("text", [
    "S.StepLR(opt, 2, last_epoch=3)", "S.MultiStepLR(opt, [4], last_epoch=3)",
    "S.LinearLR(opt, last_epoch=3)", "S.ExponentialLR(opt, 0.9, last_epoch=3)",
    "S.ConstantLR(opt, last_epoch=4)", "S.PolynomialLR(opt, last_epoch=2)",
    "S.CosineAnnealingLR(opt, 5, last_epoch=3)", "S.LambdaLR(opt, lambda e: 0.9 ** e, last_epoch=3)",
    "S.CyclicLR(opt, 0.1, 0.2, 2, last_epoch=3, cycle_momentum=False)",
    "S.CosineAnnealingWarmRestarts(opt, 4, last_epoch=2)"])
def test_resuming_at_an_epoch(text):
    def resumed(lib):
        a, b = (lib.ones(1, requires_grad=True) for _ in range(2))
        opt = lib.optim.SGD([{"params": [a], "initial_lr": 0.1},
                             {"params": [b], "initial_lr": 0.5, "lr": 0.25}], lr=0.05)
        return opt, eval(text, {"S": lib.optim.lr_scheduler, "opt": opt})

    (a, theirs), (b, ours) = resumed(torch), resumed(kobai)
    for _ in range(5):
        assert options(a) == options(b)
        a.step(), b.step(), theirs.step(), ours.step()


@pytest.mark.parametrize("settings", [
    {"patience": 1, "factor": 0.5}, {"mode": "max", "patience": 0, "cooldown": 1},
    {"threshold": 0.3, "patience": 0},
    {"threshold_mode": "abs", "threshold": 0.5, "patience": 1}, {"min_lr": [0.05, 0.2], "patience": 0},
    {"mode": "max", "threshold_mode": "abs", "threshold": 0.5, "patience": 0, "eps": 0.01}])
def test_plateau(settings):
    pairs = []
    for lib in (torch, kobai):
        a, b = (lib.ones(1, requires_grad=True) for _ in range(2))
        opt = lib.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1)
        pairs.append((opt, lib.optim.lr_scheduler.ReduceLROnPlateau(opt, **settings)))
    (a, theirs), (b, ours) = pairs
    for metric in (5, 4, 4, 4.2, 3.9, 3, 3, 2.9, 3.5, 3.6, 8, 9, float("nan"), 1):
        theirs.step(metric), ours.step(metric)
        assert options(a) == options(b)
        assert theirs.state_dict() == ours.state_dict()
