"""Distributions against mathematics: densities integrate to one, moments are integrals, samples follow the cdf."""
import numpy as np
import pytest

import kobai
from kobai import distributions as D

pytest.importorskip("scipy")

NUMBERS = {  # name: (distribution, an interval that holds nearly all of it)
    "Normal": (D.Normal(0.5, 1.5), (-12, 13)), "Laplace": (D.Laplace(0.5, 1.5), (-40, 40)),
    "StudentT": (D.StudentT(7.0, 0.5, 1.2), (-150, 150)), "Uniform": (D.Uniform(-1.0, 2.0), (-0.999999, 1.999999)),
    "Gamma": (D.Gamma(2.5, 1.5), (1e-9, 30)), "Chi2": (D.Chi2(kobai.tensor(5.0)), (1e-9, 80)),
    "Beta": (D.Beta(2.0, 3.0), (1e-9, 1 - 1e-7)), "Exponential": (D.Exponential(1.5), (1e-9, 25)),
    "FisherSnedecor": (D.FisherSnedecor(6.0, 20.0), (1e-9, 80)), "HalfNormal": (D.HalfNormal(1.5), (1e-9, 15)),
    "LogNormal": (D.LogNormal(0.2, 0.5), (1e-4, 60)), "InverseGamma": (D.InverseGamma(6.0, 3.0), (1e-3, 200)),
    "Weibull": (D.Weibull(1.5, 2.5), (1e-9, 8)), "Pareto": (D.Pareto(1.5, 9.0), (1.5, 200)),
    "GeneralizedPareto": (D.GeneralizedPareto(0.5, 1.0, 0.1), (0.5, 400)), "Gumbel": (D.Gumbel(0.5, 1.5), (-10, 60)),
    "Kumaraswamy": (D.Kumaraswamy(2.0, 3.0), (1e-6, 1 - 1e-6)),
    "ContinuousBernoulli": (D.ContinuousBernoulli(0.3), (0, 1)), "VonMises": (D.VonMises(0.5, 2.0), (-np.pi, np.pi)),
}


def grid(interval, n=200_001):
    x = np.linspace(*interval, n)
    return x, np.full(n, x[1] - x[0])


@pytest.mark.parametrize("name", NUMBERS)
def test_densities_of_numbers(name):
    d, interval = NUMBERS[name]
    x, dx = grid(interval)
    dx[[0, -1]] /= 2
    log_p = d.log_prob(kobai.tensor(x)).numpy().astype(np.float64)
    p = np.exp(log_p) * dx
    assert p.sum() == pytest.approx(1, abs=2e-4)
    if name != "VonMises":  # whose variance is the circular one
        mean = (x * p).sum()
        assert d.mean.item() == pytest.approx(mean, abs=1e-3)
        assert d.variance.item() == pytest.approx(((x - mean) ** 2 * p).sum(), rel=2e-2)
    if type(d).entropy is not D.Distribution.entropy:
        assert d.entropy().item() == pytest.approx(-(log_p * p).sum(), abs=2e-3)
    if type(d).cdf is not D.Distribution.cdf and name not in ("StudentT", "FisherSnedecor", "Beta"):
        at = len(x) // 3
        assert d.cdf(kobai.tensor(x[at])).item() == pytest.approx(p[:at].sum() + p[at] / 2, abs=2e-4)


COUNTS = [D.Bernoulli(0.3), D.Binomial(9, 0.4), D.Geometric(0.3), D.NegativeBinomial(4.0, 0.4), D.Poisson(3.5)]


@pytest.mark.parametrize("d", COUNTS, ids=lambda d: type(d).__name__)
def test_probabilities_of_counts(d):
    k = np.arange({"Bernoulli": 2, "Binomial": 10}.get(type(d).__name__, 150), dtype=np.float32)
    p = np.exp(d.log_prob(kobai.from_numpy(k)).numpy().astype(np.float64))
    assert p.sum() == pytest.approx(1, abs=1e-5)
    assert d.mean.item() == pytest.approx((k * p).sum(), rel=1e-4)
    assert d.variance.item() == pytest.approx(((k - (k * p).sum()) ** 2 * p).sum(), rel=1e-3)


SAMPLED = {"Normal": 0.5, "Laplace": 0.5, "Cauchy": 0.5, "Gamma": 1.2, "Beta": 0.4, "Exponential": 0.6, "Poisson": 3.0,
           "Binomial": 4.0, "VonMises": 0.5, "StudentT": 0.5, "Gumbel": 1.0, "Weibull": 1.2}


@pytest.mark.parametrize("name", SAMPLED)
def test_samples_follow_the_density(name):
    kobai.manual_seed(0)
    d = {"Cauchy": D.Cauchy(0.5, 1.0), "Poisson": COUNTS[4], "Binomial": COUNTS[1]}.get(name) or NUMBERS[name][0]
    x, at = d.sample((4000,)).numpy(), SAMPLED[name]
    if name in ("Poisson", "Binomial"):
        below = np.exp(d.log_prob(kobai.arange(at + 1)).numpy()).sum()
    elif name == "Cauchy":
        below = 0.5
    else:
        t, dt = grid((NUMBERS[name][1][0], at), 20_001)
        below = (np.exp(d.log_prob(kobai.tensor(t)).numpy().astype(np.float64)) * dt).sum()
    assert (x <= at).mean() == pytest.approx(below, abs=0.03)  # 4 standard deviations


@pytest.mark.parametrize("a", [0.02, 0.7, 3.0, 80.0])
def test_gradients_of_gamma_samples(a):
    """dx/da at a fixed value of the cdf, by SciPy's inverse of it."""
    from scipy.special import gammainc, gammaincinv
    kobai.manual_seed(1)
    shape = kobai.full((50,), a, dtype=kobai.float64, requires_grad=True)
    x = D.Gamma(shape, 1.0).rsample()
    x.sum().backward()
    u, h = gammainc(a, x.detach().numpy()), a * 1e-4
    want = (gammaincinv(a + h, u) - gammaincinv(a - h, u)) / (2 * h)
    sure = (u > 1e-3) & (u < 1 - 1e-3)
    np.testing.assert_allclose(shape.grad.numpy()[sure], want[sure], rtol=1e-3)


def test_gradients_of_dirichlet_samples_are_those_of_their_means():
    """E[x] = a / sum(a), so the mean of dx/da is the derivative of that."""
    kobai.manual_seed(2)
    a = kobai.tensor([0.7, 1.5, 2.0], dtype=kobai.float64, requires_grad=True)
    D.Dirichlet(a).rsample((20000,))[:, 0].mean().backward()
    s = 4.2
    np.testing.assert_allclose(a.grad.numpy(), [(s - 0.7) / s ** 2, -0.7 / s ** 2, -0.7 / s ** 2], atol=4e-3)


@pytest.mark.parametrize("pair", [("Normal", "Laplace"), ("Normal", "Gumbel"), ("Gamma", "Gumbel"), ("Beta", "Normal"),
                                  ("Laplace", "Normal"), ("Gumbel", "Normal"), ("Gamma", "Exponential"),
                                  ("Exponential", "Gamma"), ("Beta", "ContinuousBernoulli"), ("Pareto", "Exponential"),
                                  ("Gamma", "Normal"), ("Normal", "Normal"), ("Gumbel", "Gumbel")])
def test_divergences_are_integrals(pair):
    (p, interval), (q, _) = (NUMBERS[n] for n in pair)
    if pair[0] == pair[1]:
        q = type(p)(p.loc + 0.3, p.scale * 1.2)
    x, dx = grid(interval, 400_001)
    dx[[0, -1]] /= 2
    a, b = (d.log_prob(kobai.tensor(x)).numpy().astype(np.float64) for d in (p, q))
    assert D.kl_divergence(p, q).item() == pytest.approx((np.exp(a) * (a - b) * dx).sum(), abs=2e-3)


def test_divergences_go_by_type():
    class Mine(D.Normal):
        pass
    assert D.kl_divergence(Mine(0.0, 1.0), D.Normal(1.0, 1.0)).item() == pytest.approx(0.5)
    D.register_kl(Mine, Mine)(lambda p, q: "ours")
    assert D.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0)) == "ours"
    with pytest.raises(NotImplementedError, match="No KL"):
        D.kl_divergence(D.VonMises(0.0, 1.0), D.Normal(0.0, 1.0))


def test_vectors():
    cov = np.array([[2.0, 0.5], [0.5, 1.0]])
    x, loc = np.array([0.3, -1.0]), np.array([1.0, 0.5])
    d = D.MultivariateNormal(kobai.tensor(loc), kobai.tensor(cov))
    want = -0.5 * (x - loc) @ np.linalg.solve(cov, x - loc) - 0.5 * np.log(np.linalg.det(2 * np.pi * cov))
    assert d.log_prob(kobai.tensor(x)).item() == pytest.approx(want)
    kobai.manual_seed(0)
    np.testing.assert_allclose(np.cov(d.sample((20000,)).numpy().T), cov, atol=0.06)
    low = D.LowRankMultivariateNormal(kobai.tensor(loc), kobai.tensor([[1.0], [0.5]], dtype=kobai.float64),
                                      kobai.tensor([1.0, 0.75], dtype=kobai.float64))
    assert low.log_prob(kobai.tensor(x)).item() == pytest.approx(want)
    assert D.kl_divergence(d, low).item() == pytest.approx(0, abs=1e-12)
    factor = D.LKJCholesky(3, 2.0).sample((2,))
    np.testing.assert_allclose((factor @ factor.mT).diagonal(dim1=-1, dim2=-2).numpy(), 1, atol=1e-5)


def test_a_policy_gradient():
    """The gradient of the mean reward, by hand: p_i (r_i - mean r), through softmax."""
    kobai.manual_seed(0)
    logits, reward = kobai.zeros(3, requires_grad=True), kobai.tensor([1.0, 2.0, 4.0])
    action = D.Categorical(logits=logits).sample((30000,))
    (D.Categorical(logits=logits).log_prob(action) * reward[action]).mean().backward()
    np.testing.assert_allclose(logits.grad.numpy(), (reward.numpy() - 7 / 3) / 3, atol=0.03)


def test_straight_through_samples_have_the_gradient_of_probs():
    logits = kobai.tensor([0.1, 0.5, -1.0], requires_grad=True)
    x = D.OneHotCategoricalStraightThrough(logits=logits).rsample()
    assert sorted(x.tolist()) == pytest.approx([0, 0, 1])
    (x * kobai.tensor([1.0, 2.0, 3.0])).sum().backward()
    p = np.exp(logits.detach().numpy()) / np.exp(logits.detach().numpy()).sum()
    np.testing.assert_allclose(logits.grad.numpy(), p * ([1, 2, 3] - p @ [1, 2, 3]), rtol=1e-5)


def test_transforms_remember_when_asked():
    t = D.TanhTransform(cache_size=1)
    x = kobai.tensor([20.0])
    assert t.inv(t(x)) is x and D.TanhTransform().inv(D.TanhTransform()(x)).item() == np.inf


@pytest.mark.parametrize("constraint", ["positive", "unit_interval", "simplex", "lower_cholesky", "corr_cholesky",
                                        "interval(-1.0, 3.0)", "less_than(2.0)", "independent(positive, 1)"])
def test_transforms_to_sets(constraint):
    c = eval(constraint, vars(D.constraints).copy())
    shape = {"lower_cholesky": (4, 3, 3), "corr_cholesky": (4, 6)}.get(constraint, (4, 3))
    assert c.check(D.transform_to(c)(kobai.randn(*shape))).all()


def test_what_is_wrong_is_said():
    with pytest.raises(ValueError, match=r"Expected parameter scale \(Tensor of shape \(\)\) of distribution Normal\("):
        D.Normal(0.0, -1.0)
    with pytest.raises(ValueError, match="to be within the support"):
        D.Exponential(1.0).log_prob(kobai.tensor(-1.0))
    with pytest.raises(ValueError, match="Either `probs` or `logits` must be specified, but not both."):
        D.Categorical()
    assert D.Normal(0.0, -1.0, validate_args=False).scale.item() == -1


def test_modules_as_in_pytorch():
    from kobai.distributions.categorical import Categorical
    from kobai.distributions.utils import broadcast_all

    from kobai.distributions.kl import kl_divergence
    assert Categorical is D.Categorical and kl_divergence is D.kl_divergence
    assert [t.shape for t in broadcast_all(1.0, kobai.zeros(2))] == [(2,), (2,)]
