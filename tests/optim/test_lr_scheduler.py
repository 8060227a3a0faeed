"""Schedules: rates of PyTorch 2.13, to the last bit, and what follows from their formulas."""
import copy
import math
import warnings

import pytest

import kobai
from kobai import optim
from kobai.optim import lr_scheduler as S


@pytest.fixture
def opt():
    """Two groups, with rates 0.1 and 0.5."""
    a, b = (kobai.ones(1, requires_grad=True) for _ in range(2))
    return optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1, momentum=0.9)


def run(opt, schedule, steps, key="lr"):
    """The rate of the first group and of the second in turn."""
    seen = []
    for i in range(steps):
        opt.step()
        schedule.step()
        seen.append(opt.param_groups[i % 2][key])
    return seen


# Rates after each of 8 steps in PyTorch 2.13, of the two groups in turn. Programs print them, so they are
# compared exactly.
PYTORCH = [
    ("S.StepLR(opt, step_size=3)",
     [0.1, 0.5, 0.010000000000000002, 0.05, 0.010000000000000002, 0.005000000000000001,
      0.0010000000000000002, 0.005000000000000001]),
    ("S.MultiStepLR(opt, [2, 5, 5, 7], gamma=0.3)",
     [0.1, 0.15, 0.03, 0.15, 0.0026999999999999997, 0.0135, 0.0008099999999999998, 0.00405]),
    ("S.ConstantLR(opt, factor=0.5, total_iters=4)",
     [0.05, 0.25, 0.05, 0.5, 0.1, 0.5, 0.1, 0.5]),
    ("S.LinearLR(opt, start_factor=0.1, end_factor=0.8, total_iters=5)",
     [0.024000000000000007, 0.19000000000000003, 0.05200000000000002, 0.33000000000000007,
      0.08000000000000003, 0.4000000000000001, 0.08000000000000003, 0.4000000000000001]),
    ("S.ExponentialLR(opt, gamma=0.9)",
     [0.09000000000000001, 0.405, 0.07290000000000002, 0.32805000000000006, 0.05904900000000002,
      0.2657205000000001, 0.04782969000000002, 0.21523360500000008]),
    ("S.PolynomialLR(opt, total_iters=6, power=2.0)",
     [0.06944444444444446, 0.2222222222222223, 0.02500000000000001, 0.05555555555555558,
      0.0027777777777777775, 0.0, 0.0, 0.0]),
    ("S.CosineAnnealingLR(opt, T_max=4, eta_min=0.01)",
     [0.08681980515339464, 0.255, 0.023180194846605363, 0.01, 0.023180194846605363, 0.255,
      0.08681980515339469, 0.5000000000000001]),
    ("S.CosineAnnealingWarmRestarts(opt, T_0=2, T_mult=2)",
     [0.05, 0.5, 0.08535533905932738, 0.25, 0.014644660940672627, 0.5, 0.09619397662556434,
      0.42677669529663687]),
    ("S.LambdaLR(opt, [lambda e: 0.95 ** e, lambda e: 1 / (1 + e)])",
     [0.095, 0.16666666666666666, 0.0857375, 0.1, 0.07737809374999999, 0.07142857142857142,
      0.06983372960937498, 0.05555555555555555]),
    ("S.MultiplicativeLR(opt, lambda e: 0.95)",
     [0.095, 0.45125, 0.0857375, 0.40725312499999994, 0.07737809374999999, 0.3675459453124999,
      0.06983372960937498, 0.3317102156445311]),
    ("S.CyclicLR(opt, base_lr=0.01, max_lr=[0.1, 0.2], step_size_up=3, step_size_down=2, "
     "mode='triangular2')",
     [0.039999999999999994, 0.13666666666666666, 0.09999999999999999, 0.10499999999999997, 0.01,
      0.0416666666666667, 0.039999999999999994, 0.10499999999999997]),
    ("S.CyclicLR(opt, base_lr=0.01, max_lr=0.1, step_size_up=3, mode='exp_range', gamma=0.9)",
     [0.03700000000000001, 0.0586, 0.07561000000000001, 0.04936600000000002, 0.027714699999999988,
      0.01, 0.02434890700000003, 0.03582803259999999]),
    ("S.OneCycleLR(opt, max_lr=0.3, total_steps=9)",
     [0.19540747057037994, 0.29832463063527354, 0.26956999780393404, 0.2116934186973299,
      0.13879113080009253, 0.06861898594789442, 0.018267890927409724, 1.2e-06]),
    ("S.OneCycleLR(opt, max_lr=0.3, epochs=3, steps_per_epoch=3, anneal_strategy='linear', "
     "three_phase=True)",
     [0.18141176470588238, 0.24917647058823522, 0.07976470588235288, 0.010434939130434782,
      0.007826504347826085, 0.005218069565217391, 0.0026096347826086944, 1.1999999999998123e-06]),
    ("S.SequentialLR(opt, [S.ConstantLR(opt, factor=0.1, total_iters=4), S.ExponentialLR(opt, "
     "gamma=0.9), S.StepLR(opt, 2)], milestones=[3, 5])",
     [0.010000000000000002, 0.05, 0.1, 0.45, 0.1, 0.5, 0.010000000000000002, 0.05]),
    ("S.ChainedScheduler([S.ConstantLR(opt, factor=0.1, total_iters=4), S.ExponentialLR(opt, "
     "gamma=0.9)])",
     [0.009000000000000003, 0.04050000000000001, 0.007290000000000003, 0.3280500000000001,
      0.059049000000000025, 0.2657205000000001, 0.04782969000000002, 0.21523360500000008]),
]


@pytest.mark.parametrize(("make", "expected"), PYTORCH)
def test_rates_of_pytorch(make, expected, opt):
    schedule = eval(make, {"S": S, "opt": opt})
    assert run(opt, schedule, 8) == expected
    assert schedule.get_last_lr() == [g["lr"] for g in opt.param_groups]


@pytest.mark.parametrize("make", [make for make, _ in PYTORCH])
def test_a_checkpoint_goes_on(make, opt):
    names = {"S": S, "opt": opt}
    schedule = eval(make, names)
    run(opt, schedule, 3)
    saved, rates = copy.deepcopy(schedule.state_dict()), [g["lr"] for g in opt.param_groups]
    options = copy.deepcopy([{k: v for k, v in g.items() if k != "params"} for g in opt.param_groups])
    expected = run(opt, schedule, 5)
    again = eval(make, names)
    for g, o in zip(opt.param_groups, options):
        g.update(o)
    again.load_state_dict(saved)
    assert again.get_last_lr() == rates
    assert run(opt, again, 5) == expected


# ---- closed forms ----------------------------------------------------------------------------
@pytest.mark.parametrize("make", [
    "S.StepLR(opt, 3)", "S.MultiStepLR(opt, [2, 5, 5])", "S.ConstantLR(opt, 0.5, 4)",
    "S.LinearLR(opt, 0.1, 0.8, 5)", "S.ExponentialLR(opt, 0.9)", "S.PolynomialLR(opt, 6, 2.0)",
    "S.CosineAnnealingLR(opt, 4, 0.01)", "S.LambdaLR(opt, lambda e: 0.9 ** e)"])
def test_step_by_step_and_at_once_agree(make, opt):
    """The recursion and the direct formula are the same mathematics."""
    schedule, recursive = eval(make, {"S": S, "opt": opt}), []
    opt.step()
    for _ in range(8):
        schedule.step()
        recursive.append(opt.param_groups[0]["lr"])
    direct = []
    for epoch in range(1, 9):
        with pytest.warns(UserWarning, match=r"The epoch parameter in `scheduler.step\(\)` was not"):
            schedule.step(epoch)
        direct.append(opt.param_groups[0]["lr"])
    assert recursive == pytest.approx(direct, rel=1e-9, abs=1e-12)


def test_warm_restarts_between_epochs(opt):
    """step(epoch) takes fractions: halfway through the period of 2 the cosine is 0."""
    schedule = S.CosineAnnealingWarmRestarts(opt, T_0=2, T_mult=2)
    for epoch, part in ((0.5, 0.25), (1.0, 0.5), (2.0, 0.0), (4.0, 0.5), (6.0, 0.0), (9.0, 3 / 8)):
        schedule.step(epoch)
        assert opt.param_groups[0]["lr"] == pytest.approx(0.1 * (1 + math.cos(math.pi * part)) / 2)


# ---- momentum that goes along ----------------------------------------------------------------
def test_one_cycle_moves_momentum_the_other_way(opt):
    schedule = S.OneCycleLR(opt, max_lr=0.3, total_steps=10, pct_start=0.3)
    assert opt.param_groups[0]["momentum"] == 0.95
    assert run(opt, schedule, 2, "momentum")[-1] == pytest.approx(0.85)  # where the rate is highest
    assert opt.param_groups[0]["lr"] == pytest.approx(0.3)
    run(opt, schedule, 7)
    assert opt.param_groups[0]["momentum"] == pytest.approx(0.95)
    schedule.step()
    with pytest.raises(ValueError, match="^Tried to step 11 times. The specified number of total steps"):
        schedule.step()


def test_with_adam_it_is_beta1():
    opt = optim.Adam([kobai.ones(1, requires_grad=True)], betas=(0.9, 0.99))
    schedule = S.CyclicLR(opt, 0.1, 0.2, step_size_up=2, base_momentum=0.5, max_momentum=0.7)
    assert opt.param_groups[0]["betas"] == (0.7, 0.99)
    opt.step()
    schedule.step()
    assert opt.param_groups[0]["betas"] == (pytest.approx(0.6), 0.99)


def test_an_optimizer_without_momentum():
    opt = optim.Adagrad([kobai.ones(1, requires_grad=True)])
    message = "^optimizer must support momentum or beta1 with `cycle_momentum` option enabled\n"
    with pytest.raises(ValueError, match=message):
        S.CyclicLR(opt, 0.1, 0.2)
    with pytest.raises(ValueError, match=message):
        S.OneCycleLR(opt, 0.1, total_steps=5)
    schedule = S.OneCycleLR(opt, 0.1, total_steps=5, cycle_momentum=False)
    assert schedule.get_last_lr() == pytest.approx([0.1 / 25])


# ---- plateau ---------------------------------------------------------------------------------
def plateau(opt, losses, **options):
    schedule, rates = S.ReduceLROnPlateau(opt, factor=0.5, **options), []
    for loss in losses:
        schedule.step(loss)
        rates.append(opt.param_groups[0]["lr"] / 0.1)
    return rates


def test_plateau_waits_for_patience(opt):
    assert plateau(opt, [3, 2, 2, 2, 2, 1, 1], patience=1) == pytest.approx([1, 1, 1, 0.5, 0.5, 0.5, 0.5])


def test_plateau_counts_nothing_in_the_cooldown(opt):
    rates = plateau(opt, [1] * 7, patience=0, cooldown=2)
    assert rates == pytest.approx([1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25])


def test_plateau_modes(opt):
    """By 1 % better: 102 over 100 counts, 100.5 does not; NaN never does."""
    rates = plateau(opt, [100, 100.5, 102, 103, math.nan], mode="max", threshold=0.01, patience=0)
    assert rates == pytest.approx([1, 0.5, 0.5, 0.25, 0.125])


def test_plateau_absolute_threshold(opt):
    assert plateau(opt, [5.0, 4.5, 3.9], threshold_mode="abs", threshold=1.0, patience=0) == pytest.approx(
        [1, 0.5, 0.5])


def test_plateau_takes_tensors_and_stops_at_min_lr(opt):
    assert plateau(opt, [kobai.tensor(1.0)] * 5, patience=0, min_lr=[0.04, 0.5]) == pytest.approx(
        [1, 0.5, 0.4, 0.4, 0.4])
    assert opt.param_groups[1]["lr"] == 0.5


def test_plateau_with_a_group_added_later(opt):
    one, each = S.ReduceLROnPlateau(opt, patience=0), S.ReduceLROnPlateau(opt, patience=0, min_lr=[0.0, 0.0])
    opt.add_param_group({"params": [kobai.ones(1, requires_grad=True)], "lr": 1.0})
    one.step(1.0)
    one.step(1.0)
    assert opt.param_groups[2]["lr"] == pytest.approx(0.1)
    each.step(1.0)
    with pytest.raises(RuntimeError, match=r"The number of param groups in the `optimizer` \(3\) differs"):
        each.step(1.0)


# ---- the base class --------------------------------------------------------------------------
def test_a_learning_rate_that_is_a_tensor_is_written_in_place():
    lr = kobai.tensor(0.5)
    opt = optim.SGD([kobai.ones(1, requires_grad=True)], lr=lr)
    schedule = S.ExponentialLR(opt, 0.5)
    opt.step()
    schedule.step()
    assert opt.param_groups[0]["lr"] is lr and lr.item() == 0.25
    assert schedule.base_lrs[0].item() == 0.5


def test_a_schedule_of_ones_own(opt):
    class Half(S.LRScheduler):
        def get_lr(self):
            return [base / 2 ** self.last_epoch for base in self.base_lrs]

    assert run(opt, Half(opt), 3) == pytest.approx([0.05, 0.125, 0.0125])


def test_resuming_needs_the_initial_rate(opt):
    with pytest.raises(KeyError, match="param 'initial_lr' is not specified in param_groups"):
        S.StepLR(opt, 2, last_epoch=3)
    for g in opt.param_groups:
        g["initial_lr"] = g["lr"]
    schedule = S.StepLR(opt, 2, last_epoch=3)
    assert schedule.last_epoch == 4 and opt.param_groups[0]["lr"] == pytest.approx(0.01)


def test_warns_when_the_order_is_wrong(opt):
    schedule = S.StepLR(opt, 1)
    with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before `optimizer.step"):
        schedule.step()


def test_does_not_warn_when_it_is_right(opt):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schedule = S.StepLR(opt, 1)
        opt.step()
        schedule.step()
        again = S.ExponentialLR(opt, 0.9)  # a second schedule, in the middle of training
        again.step()


def test_warns_when_step_was_replaced(opt):
    schedule = S.StepLR(opt, 1)
    opt.step = lambda: None
    opt.step()
    with pytest.warns(UserWarning, match=r"Seems like `optimizer.step\(\)` has been overridden after"):
        schedule.step()


def test_get_lr_is_not_for_looking(opt):
    schedule = S.StepLR(opt, 1)
    with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`"):
        schedule.get_lr()


def test_functions_are_not_saved_and_objects_are(opt):
    class Decay:
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, epoch):
            return self.rate ** epoch

    schedule = S.LambdaLR(opt, [lambda e: 1.0, Decay(0.5)])
    saved = schedule.state_dict()
    assert saved["lr_lambdas"] == [None, {"rate": 0.5}] and "optimizer" not in saved
    other = S.LambdaLR(opt, [lambda e: 1.0, Decay(0.9)])
    other.load_state_dict(saved)
    assert other.lr_lambdas[1].rate == 0.5


BAD = [
    ("S.StepLR(3, 1)", TypeError, "int is not an Optimizer"),
    ("S.ReduceLROnPlateau(3)", TypeError, "int is not an Optimizer"),
    ("S.CyclicLR(3, 1, 2)", TypeError, "int is not an Optimizer"),
    ("S.OneCycleLR(3, 1)", TypeError, "int is not an Optimizer"),
    ("S.LambdaLR(opt, [abs])", ValueError, "Expected 2 lr_lambdas, but got 1"),
    ("S.MultiplicativeLR(opt, 3)", TypeError, "lr_lambda should be a function, but got int"),
    ("S.ConstantLR(opt, factor=2.0)", ValueError, "Constant multiplicative factor expected to be between 0"),
    ("S.LinearLR(opt, start_factor=0)", ValueError, "Starting multiplicative factor expected to be greater"),
    ("S.LinearLR(opt, end_factor=2)", ValueError, "Ending multiplicative factor expected to be between 0"),
    ("S.CosineAnnealingWarmRestarts(opt, 0)", ValueError, "Expected positive integer T_0, but got 0"),
    ("S.CosineAnnealingWarmRestarts(opt, 1, 0.5)", ValueError, "Expected integer T_mult >= 1, but got 0.5"),
    ("S.CyclicLR(opt, 1, [2])", ValueError,
     "max_lr must have the same length as optimizer.param_groups. max_lr has 1 values, param_groups has 2."),
    ("S.CyclicLR(opt, 1, 2, mode='x')", ValueError, "mode is invalid and scale_fn is None"),
    ("S.OneCycleLR(opt, 1)", ValueError, "You must define either total_steps OR"),
    ("S.OneCycleLR(opt, 1, total_steps=0)", ValueError, "Expected positive integer total_steps, but got 0"),
    ("S.OneCycleLR(opt, 1, epochs=2, steps_per_epoch=0)", ValueError,
     "Expected positive integer steps_per_epoch, but got 0"),
    ("S.OneCycleLR(opt, 1, total_steps=5, pct_start=2)", ValueError,
     "Expected float between 0 and 1 pct_start, but got 2"),
    ("S.OneCycleLR(opt, 1, total_steps=5, anneal_strategy='x')", ValueError,
     "anneal_strategy must be one of 'cos' or 'linear', instead got x"),
    ("S.ReduceLROnPlateau(opt, factor=1.0)", ValueError, "Factor should be < 1.0."),
    ("S.ReduceLROnPlateau(opt, 'x')", ValueError, "mode x is unknown!"),
    ("S.ReduceLROnPlateau(opt, threshold_mode='x')", ValueError, "threshold mode x is unknown!"),
    ("S.ReduceLROnPlateau(opt, min_lr=[1])", ValueError, "expected 2 min_lrs, got 1"),
    ("S.SequentialLR(opt, [], [])", ValueError,
     "SequentialLR expects at least one scheduler, but got no scheduler."),
    ("S.SequentialLR(opt, [S.StepLR(opt, 1)], [2])", ValueError,
     "Sequential Schedulers expects number of schedulers provided to be one more than the number of"),
    ("S.SequentialLR(opt, [3], [])", TypeError,
     "SequentialLR at index 0 should have `optimizer` as its attribute."),
    ("S.ChainedScheduler([S.ReduceLROnPlateau(opt)])", ValueError,
     "ChainedScheduler does not support `ReduceLROnPlateau` scheduler"),
    ("S.ChainedScheduler([])", ValueError, "ChainedScheduler expects at least one scheduler to be chained"),
    ("S.ChainedScheduler([S.StepLR(opt, 1), S.StepLR(other, 1)])", ValueError,
     "ChainedScheduler expects all schedulers to belong to the same optimizer"),
]


@pytest.mark.parametrize(("make", "kind", "message"), BAD)
def test_messages(make, kind, message, opt):
    other = optim.SGD([kobai.ones(1, requires_grad=True)])
    with pytest.raises(kind) as caught:
        eval(make, {"S": S, "opt": opt, "other": other})
    assert str(caught.value).startswith(message)


def test_an_optimizer_around_another_needs_no_super_init():
    """PyTorch's `step` needs nothing that `Optimizer.__init__` makes."""
    class Twice(optim.Optimizer):
        def __init__(self, inner):
            self.inner, self.param_groups = inner, inner.param_groups

        def step(self, closure=None):
            self.inner.step()
            self.inner.step()

    w = kobai.tensor([1.0], requires_grad=True)
    opt = Twice(optim.SGD([w], 0.25))
    scheduler = optim.lr_scheduler.StepLR(opt, 1)
    w.sum().backward()
    opt.step()
    scheduler.step()
    assert w.item() == 0.5 and opt.param_groups[0]["lr"] == 0.025
