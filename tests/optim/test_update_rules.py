"""The update formulas: numbers of PyTorch 2.13 (float64), and what the papers' mathematics says."""
import math

import numpy as np
import pytest

import kobai
from kobai import optim
from kobai.optim.muon import bfloat16, orthogonalize, ratio

W = [[1.0, -2.0, 3.0], [-0.5, 0.25, 4.0]]
B = [0.5, -1.0]


def gradient(t, n):
    """Made-up gradients that change sign and size from step to step."""
    return [((i * 7 + t * 5) % 11 - 5) / 4 for i in range(n)]


def train(name, options, dtype, steps=6):
    """Both parameters in one row, after some steps on the made-up gradients."""
    w, b = (kobai.tensor(v, dtype=dtype, requires_grad=True) for v in (W, B))
    opt = getattr(optim, name)([w, b], **options)
    for t in range(steps):
        w.grad = kobai.tensor(gradient(t, 6), dtype=dtype).reshape(2, 3)
        b.grad = kobai.tensor(gradient(t + 3, 2), dtype=dtype)
        opt.step()
    return np.concatenate([w.detach().numpy().ravel(), b.detach().numpy()])


# What PyTorch 2.13 gives for these gradients in float64.
PYTORCH = [
    ('SGD', {'lr': 0.1},
     [0.975, -1.975, 3.075, -0.65, 0.15, 4.225, 0.425, -1.025]),
    ('SGD', {'lr': 0.1, 'momentum': 0.9},
     [1.08357375, -1.6969945, 3.214572, -1.25922125, 0.25349775, 4.66031425, 0.26882975, -0.91642625]),
    ('SGD', {'lr': 0.1, 'momentum': 0.9, 'dampening': 0.5, 'weight_decay': 0.1},
     [1.2093488842, -1.7426673412, 2.8879154471, -1.0986440778, 0.1649132973, 4.0534949032,
      0.3879154471, -0.5698785077]),
    ('SGD', {'lr': 0.1, 'momentum': 0.9, 'nesterov': True, 'maximize': True},
     [0.949783625, -2.29770495, 2.7318852, 0.333299125, 0.346852025, 3.180717175, 0.783053225,
      -1.050216375]),
    ('Adam', {'lr': 0.1},
     [1.1245833099, -1.9581393986, 3.1488906097, -0.8326726093, 0.2102770926, 4.3106133995,
      0.4722784905, -0.8754166901]),
    ('Adam', {'lr': 0.1, 'amsgrad': True, 'weight_decay': 0.1},
     [1.0709360044, -1.8552328813, 2.9387944781, -0.8033255489, 0.1986852407, 4.037685744,
      0.4387944781, -0.8327183695]),
    ('AdamW', {'lr': 0.1, 'weight_decay': 0.5},
     [0.8270244775, -1.4214890359, 2.3311289273, -0.6517760766, 0.1505023627, 3.2116737314,
      0.3331423003, -0.6431593038]),
    ('Adamax', {'lr': 0.1, 'weight_decay': 0.1},
     [1.0813384531, -1.9417996299, 2.9896748728, -0.745460601, 0.1825018292, 4.053505465,
      0.4896748728, -0.8517965411]),
    ('NAdam', {'lr': 0.1},
     [1.0172902566, -2.0165698125, 3.1135342813, -0.6510515271, 0.1138804722, 4.2277931775,
      0.4954069303, -0.9827097434]),
    ('NAdam', {'lr': 0.1, 'weight_decay': 0.1, 'decoupled_weight_decay': True},
     [0.9559140329, -1.8992162874, 2.9340697981, -0.6149416366, 0.1017378243, 3.9874546806,
      0.4643647153, -0.9270462659]),
    ('RAdam', {'lr': 0.1},
     [1.1526404606, -1.9369723546, 3.0733601992, -0.8124902968, 0.2969321865, 4.1991563045,
      0.4473956679, -0.8473595394]),
    ('RAdam', {'lr': 0.1, 'betas': (0.8, 0.9), 'weight_decay': 0.1},
     [1.0658104203, -1.8221760775, 2.9165615012, -0.7705399075, 0.2687611926, 3.9961172326,
      0.4165615012, -0.8296008593]),
    ('Adagrad', {'lr': 0.1, 'lr_decay': 0.1, 'initial_accumulator_value': 0.5},
     [1.024352074, -1.9896522308, 3.0485511068, -0.6010799261, 0.2231805353, 4.1204015696,
      0.4667059538, -0.975647926]),
    ('Adadelta', {'lr': 1.0, 'weight_decay': 0.1},
     [0.997999672, -1.9973491144, 2.9979839235, -0.5026848585, 0.2437508591, 4.0007452894,
      0.4979839235, -0.9990923456]),
    ('RMSprop', {'lr': 0.1},
     [1.1775756796, -2.1824607051, 3.8811484636, -1.6549686971, -0.8236105705, 5.6840051047,
      0.592388984, -0.8224243204]),
    ('RMSprop', {'lr': 0.1, 'momentum': 0.5, 'centered': True},
     [1.3928673981, -1.9514082504, 4.6570651682, -2.9828647039, -1.3354545263, 7.0069780649,
      0.8660062083, -0.6071326019]),
    ('Rprop', {'lr': 0.1},
     [0.95, -2.175, 3.175, -0.675, 0.075, 4.175, 0.675, -1.05]),
    ('ASGD', {'lr': 0.1, 'lambd': 0.1, 't0': 2},
     [0.9179371636, -1.8617177878, 2.8994354725, -0.613942651, 0.1388619187, 3.985659435,
      0.3994354725, -0.9670975531]),
    ('Adafactor', {'lr': 0.1, 'weight_decay': 0.1},
     [0.833896928, -1.9847555555, 2.9397887333, -0.6659415158, -0.0948621849, 4.3630613426,
      0.4310908224, -0.9542984671]),
]


@pytest.mark.parametrize(("name", "options", "expected"), PYTORCH)
def test_numbers_of_pytorch(name, options, expected):
    np.testing.assert_allclose(train(name, options, kobai.float64), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(("name", "options", "expected"), PYTORCH)
def test_float32_stays_float32_and_close(name, options, expected):
    got = train(name, options, kobai.float32)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adafactor"])
def test_half_precision_follows_float32(name, dtype):
    half = getattr(kobai, dtype)
    w = kobai.tensor(W).to(half).requires_grad_()
    full = kobai.tensor(W, requires_grad=True)
    a, b = (getattr(optim, name)([p], lr=0.1) for p in (w, full))
    for t in range(4):
        full.grad = kobai.tensor(gradient(t, 6)).reshape(2, 3)
        w.grad = full.grad.to(half)
        a.step(), b.step()
    assert w.dtype is half
    assert all(v.dtype is half for k, v in a.state.get(w, {}).items() if k != "step")
    got = w.detach().to(kobai.float32).numpy()
    np.testing.assert_allclose(got, full.detach().numpy(), rtol=0.02, atol=0.02)


# ---- mathematics ------------------------------------------------------------------------------
def scalar_path(name, options, gradients, start=1.0):
    """The values of a single number under an optimizer."""
    x = kobai.tensor([start], dtype=kobai.float64, requires_grad=True)
    opt, path = getattr(optim, name)([x], **options), []
    for g in gradients:
        x.grad = kobai.tensor([g], dtype=kobai.float64)
        opt.step()
        path.append(x.item())
    return path


def test_sgd_with_momentum_is_the_heavy_ball():
    x, v, expected = 1.0, 0.0, []
    for g in (1.0, -2.0, 0.5):
        v = 0.9 * v + g
        x -= 0.1 * v
        expected.append(x)
    assert scalar_path("SGD", dict(lr=0.1, momentum=0.9), (1.0, -2.0, 0.5)) == pytest.approx(expected)


def test_adam_is_algorithm_1_of_kingma_and_ba():
    x, m, v, expected = 1.0, 0.0, 0.0, []
    for t, g in enumerate((1.0, -2.0, 0.5), 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x -= 0.1 * (m / (1 - 0.9 ** t)) / (math.sqrt(v / (1 - 0.999 ** t)) + 1e-8)
        expected.append(x)
    assert scalar_path("Adam", dict(lr=0.1), (1.0, -2.0, 0.5)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ["Adam", "NAdam", "Adamax", "Adagrad"])
@pytest.mark.parametrize("g", [1e-3, 1.0, 1e3])
def test_the_first_step_does_not_depend_on_the_size_of_the_gradient(name, g):
    one = scalar_path(name, dict(lr=0.1), (1.0,))[0]
    assert scalar_path(name, dict(lr=0.1), (g,))[0] == pytest.approx(one, abs=1e-4)


def test_adamw_shrinks_a_parameter_without_gradient_and_adam_does_not_shrink_it_alike():
    path = scalar_path("AdamW", dict(lr=0.1, weight_decay=0.5), (0.0, 0.0))
    assert path == pytest.approx([0.95, 0.95 ** 2])
    assert scalar_path("Adam", dict(lr=0.1, weight_decay=0.5), (0.0,)) == pytest.approx([0.9])


def test_amsgrad_divides_by_the_largest_square_so_far():
    gradients = (10.0,) + (0.1,) * 50
    plain = scalar_path("Adam", dict(lr=0.1, betas=(0.0, 0.5)), gradients)
    ams = scalar_path("Adam", dict(lr=0.1, betas=(0.0, 0.5), amsgrad=True), gradients)
    assert plain[-2] - plain[-1] == pytest.approx(0.1, rel=1e-3)   # 0.1 / sqrt(0.1^2): forgot the 10
    assert ams[-2] - ams[-1] == pytest.approx(0.1 * 0.1 / math.sqrt(50), rel=1e-3)


def test_rmsprop_centered_divides_by_the_standard_deviation():
    """With a constant gradient 1 the variance of the averages after t steps is a^t (1 - a^t)."""
    path = scalar_path("RMSprop", dict(lr=0.1, alpha=0.5, centered=True, eps=0.0), (1.0, 1.0))
    assert 1.0 - path[0] == pytest.approx(0.1 / math.sqrt(0.25))
    assert path[0] - path[1] == pytest.approx(0.1 / math.sqrt(0.75 * 0.25))


def test_rprop_lengthens_and_shortens_steps():
    path = scalar_path("Rprop", dict(lr=0.1, step_sizes=(0.07, 0.13)), (1.0, 1.0, 1.0, -1.0, -1.0))
    steps = np.diff([1.0, *path])
    assert steps == pytest.approx([-0.1, -0.12, -0.13, 0.0, 0.07])  # 0.12 * 1.2 and 0.13 * 0.5 are cut


def test_asgd_averages_all_that_comes_later_than_t0_and_one_step():
    x = kobai.tensor([1.0], dtype=kobai.float64, requires_grad=True)
    opt, path = optim.ASGD([x], lr=0.1, lambd=0.0, t0=1), []
    for g in (1.0, 2.0, -1.0, 3.0, 0.5):
        x.grad = kobai.tensor([g], dtype=kobai.float64)
        opt.step()
        path.append(x.item())
    assert opt.state[x]["ax"].item() == pytest.approx(np.mean(path[2:]), rel=1e-6)


def test_radam_is_plain_momentum_for_five_steps():
    g = (1.0, 1.0, 1.0, 1.0, 1.0)
    assert scalar_path("RAdam", dict(lr=0.1), g) == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5])


def test_adafactor_scales_with_the_parameter():
    """The relative step: a parameter 100 times as large moves 100 times as far."""
    moved = []
    for scale in (1.0, 100.0):
        w = (kobai.tensor(W) * scale).requires_grad_()
        w.grad = kobai.tensor(gradient(0, 6)).reshape(2, 3)
        optim.Adafactor([w], lr=0.1).step()
        moved.append((w.detach().numpy() / scale).copy())
    np.testing.assert_allclose(moved[0], moved[1], rtol=1e-5)


def test_adafactor_keeps_a_row_and_a_column():
    w = kobai.zeros(3, 5, requires_grad=True)
    opt = optim.Adafactor([w])
    w.grad = kobai.tensor([gradient(t, 5) for t in range(3)])
    opt.step()
    square = w.grad.numpy() ** 2
    kept = opt.state[w]
    assert list(kept) == ["step", "row_var", "col_var"]
    np.testing.assert_allclose(kept["row_var"].numpy(), square.mean(1, keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(kept["col_var"].numpy(), square.mean(0, keepdims=True), rtol=1e-6)


def test_muon_makes_all_singular_values_about_one():
    x = np.random.RandomState(0).randn(6, 4).astype(np.float32)
    u = orthogonalize(x, (3.4445, -4.775, 2.0315), 5, 1e-7)
    values = np.linalg.svd(u)[1]
    assert values.min() > 0.6 and values.max() < 1.3
    left, _, right = np.linalg.svd(x, full_matrices=False)
    assert np.abs(u - left @ right).max() < 0.3


def test_muon_ratio():
    assert ratio(None, 8, 2) == 2.0 and ratio("original", 2, 8) == 1.0
    assert ratio("match_rms_adamw", 100, 4) == pytest.approx(2.0)


def test_bfloat16_rounds_half_to_even():
    """8 bits: 1 + 1/256 lies between 1 and 1 + 1/128 and goes to the even one, 1."""
    x = np.array([1 + 2.0 ** -8, 1 + 3 * 2.0 ** -8, 1 + 2.0 ** -8 + 2.0 ** -20, -3.14159], np.float32)
    assert bfloat16(x).tolist() == [1.0, 1 + 2.0 ** -6, 1 + 2.0 ** -7, -3.140625]
