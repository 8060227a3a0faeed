"""L-BFGS and its line search. Counts and losses of evaluations are PyTorch 2.13's."""
import numpy as np
import pytest

import kobai
from kobai.optim import LBFGS
from kobai.optim.lbfgs import History
from kobai.optim.line_search import Point, cubic_minimum, strong_wolfe


def rosenbrock(start=(-1.0, 2.0), dtype="float64", **options):
    """(parameter, optimizer, closure, losses so far): a curved valley with its minimum at (1, 1)."""
    w = kobai.from_numpy(np.array(start, dtype)).requires_grad_()
    opt, losses = LBFGS([w], **options), []

    def closure():
        x, y = w.detach().numpy().tolist()
        losses.append((1 - x) ** 2 + 100 * (y - x * x) ** 2)
        w.grad = kobai.tensor([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)], dtype=w.dtype)
        return kobai.tensor(losses[-1], dtype=w.dtype)
    return w, opt, closure, losses


def test_finds_the_minimum_of_rosenbrocks_valley():
    w, opt, closure, losses = rosenbrock(line_search_fn="strong_wolfe", max_iter=50)
    opt.step(closure)
    np.testing.assert_allclose(w.detach().numpy(), [1.0, 1.0], rtol=1e-6)
    assert (len(losses), opt.state[w]["n_iter"]) == (50, 36)


def test_a_quadratic_takes_as_many_iterations_as_it_has_dimensions():
    """With exact steps L-BFGS makes conjugate directions."""
    rng = np.random.RandomState(0)
    a = rng.randn(4, 4)
    a = a @ a.T + 4 * np.eye(4)
    w = kobai.from_numpy(rng.randn(4)).requires_grad_()
    opt = LBFGS([w], line_search_fn="strong_wolfe", max_iter=30)

    def closure():
        x = w.detach().numpy()
        w.grad = kobai.from_numpy(a @ x)
        return kobai.tensor(0.5 * float(x @ a @ x), dtype=kobai.float64)

    opt.step(closure)
    assert np.abs(w.detach().numpy()).max() < 2e-6
    assert opt.state[w]["n_iter"] <= 12


def test_the_history_implies_the_inverse_hessian():
    """After as many independent steps as dimensions, on a quadratic, -H g is Newton's step."""
    rng = np.random.RandomState(0)
    a = rng.randn(3, 3)
    a = a @ a.T + np.eye(3)
    history, x = History({}), rng.randn(3)
    history.grad, history.scale = a @ x, 1.0
    for _ in range(40):
        history.d, history.t = history.direction(a @ x, 10) if history.ys else -(a @ x), 0.5
        x = x + history.d * history.t
        history.learn(a @ x, 10)
        history.grad = a @ x
    np.testing.assert_allclose(history.direction(a @ x, 10), -x, rtol=1e-3, atol=1e-12)


def test_the_history_keeps_what_is_asked_for():
    w, opt, closure, _ = rosenbrock(lr=0.001, max_iter=9, history_size=4, tolerance_change=0)
    opt.step(closure)
    kept = opt.state[w]
    assert len(kept["old_dirs"]) == len(kept["old_stps"]) == len(kept["ro"]) == len(kept["al"]) == 4


def test_without_line_search_every_iteration_is_one_evaluation():
    w, opt, closure, losses = rosenbrock(lr=0.001, max_iter=7, tolerance_change=0)
    first = opt.step(closure)
    assert len(losses) == 7 and first.item() == losses[0] == 104.0


def test_stops_at_the_limit_of_evaluations():
    w, opt, closure, losses = rosenbrock(lr=0.001, max_iter=100, max_eval=3, tolerance_change=0)
    opt.step(closure)
    assert len(losses) == 3 and opt.state[w]["func_evals"] == 3


def test_stops_where_the_gradient_is_small():
    w, opt, closure, losses = rosenbrock(start=(1.0, 1.0))
    opt.step(closure)
    assert len(losses) == 1 and opt.state[w]["n_iter"] == 0
    np.testing.assert_array_equal(w.detach().numpy(), [1.0, 1.0])


def test_goes_on_from_a_checkpoint():
    w, opt, closure, _ = rosenbrock(line_search_fn="strong_wolfe", max_iter=4)
    opt.step(closure)
    here = w.detach().numpy().tolist()
    v, other, their_closure, _ = rosenbrock(here, line_search_fn="strong_wolfe", max_iter=4)
    other.load_state_dict(opt.state_dict())
    opt.step(closure)
    other.step(their_closure)
    np.testing.assert_array_equal(v.detach().numpy(), w.detach().numpy())


def test_names_in_the_state_are_pytorchs():
    w, opt, closure, _ = rosenbrock(max_iter=3, lr=0.001)
    opt.step(closure)
    assert set(opt.state_dict()["state"][0]) == {
        "func_evals", "n_iter", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad",
        "prev_loss", "al"}


def test_several_parameters_of_which_one_has_no_gradient():
    a, b = kobai.tensor([2.0], requires_grad=True), kobai.tensor([[5.0]], requires_grad=True)
    opt = LBFGS([a, b])

    def closure():
        a.grad = a.detach() * 2
        return (a.detach() ** 2).sum()

    opt.step(closure)
    assert abs(a.item()) < 1e-6 and b.item() == 5.0


def test_an_unknown_line_search():
    w, opt, closure, _ = rosenbrock(line_search_fn="armijo")
    with pytest.raises(RuntimeError, match="^only 'strong_wolfe' is supported\n"):
        opt.step(closure)


# ---- the line search -------------------------------------------------------------------------
def point(f, df):
    return lambda t: Point(t, f(t), None, df(t))


LINES = [
    (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
    (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),       # More and Thuente's first
    (lambda t: (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,
     lambda t: 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3),
    (lambda t: np.cos(5 * t) - t, lambda t: -5 * np.sin(5 * t) - 1),
]


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("line", LINES)
def test_strong_wolfe_conditions_hold(line, first):
    at = point(*line)
    start = at(0.0)
    best, tried = strong_wolfe(at, start, first, 1.0, 1e-9, 25)
    assert best.loss <= start.loss + 1e-4 * best.t * start.slope
    assert abs(best.slope) <= 0.9 * abs(start.slope)
    assert tried <= 26


def test_cubic_minimum_is_exact_for_cubics():
    at = point(lambda t: t ** 3 - 3 * t, lambda t: 3 * t * t - 3)   # minimum at 1
    assert cubic_minimum(at(0.0), at(3.0)) == pytest.approx(1.0)
    assert cubic_minimum(at(3.0), at(0.0)) == pytest.approx(1.0)
    assert cubic_minimum(at(0.0), at(3.0), 1.5, 2.0) == 1.5
    flat = point(lambda t: t ** 3 + t, lambda t: 3 * t * t + 1)     # no minimum: halfway
    assert cubic_minimum(flat(-1.0), flat(2.0)) == 0.5
