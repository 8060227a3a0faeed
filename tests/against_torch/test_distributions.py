"""Distributions beside torch.distributions: shapes, moments, densities, the same random numbers, gradients, messages."""
import warnings

import numpy as np
import pytest

import kobai

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

RNG = np.random.default_rng(0)
ROWS = RNG.uniform(0.5, 2.5, (3, 2))
REAL = RNG.standard_normal((3, 2))
PROBS = RNG.uniform(0.1, 0.9, (3, 2))
LOGITS = RNG.standard_normal((3, 4))
WEIGHTS = RNG.uniform(0.2, 1, (3, 4))
TRIL = np.tril(RNG.standard_normal((3, 3)), -1) + np.diag([1.0, 0.7, 1.3])
COV = TRIL @ TRIL.T
FACTOR = RNG.standard_normal((3, 2))

# Name -> parameters; an "f" entry of the name's list is a sample to evaluate at, by default one that is drawn.
CASES = [
    ("Normal", dict(loc=REAL, scale=ROWS)), ("Normal", dict(loc=0.5, scale=2.0)),
    ("Laplace", dict(loc=REAL, scale=ROWS)), ("Cauchy", dict(loc=REAL, scale=ROWS)),
    ("StudentT", dict(df=ROWS * 3, loc=REAL, scale=ROWS)), ("StudentT", dict(df=1.5)),
    ("Uniform", dict(low=REAL, high=REAL + ROWS)), ("Gamma", dict(concentration=ROWS, rate=ROWS[::-1].copy())),
    ("Gamma", dict(concentration=0.3, rate=2.0)), ("Chi2", dict(df=ROWS)),
    ("Dirichlet", dict(concentration=WEIGHTS * 3)), ("Dirichlet", dict(concentration=WEIGHTS)),
    ("Beta", dict(concentration1=ROWS, concentration0=ROWS[::-1].copy())), ("Beta", dict(concentration1=2.0, concentration0=3.0)),
    ("FisherSnedecor", dict(df1=ROWS * 4, df2=ROWS * 5)), ("Exponential", dict(rate=ROWS)),
    ("HalfNormal", dict(scale=ROWS)), ("HalfCauchy", dict(scale=ROWS)), ("LogNormal", dict(loc=REAL, scale=ROWS)),
    ("LogisticNormal", dict(loc=REAL, scale=ROWS)), ("InverseGamma", dict(concentration=ROWS * 2, rate=ROWS)),
    ("Weibull", dict(scale=ROWS, concentration=ROWS[::-1].copy())), ("Pareto", dict(scale=ROWS, alpha=ROWS * 2)),
    ("GeneralizedPareto", dict(loc=REAL, scale=ROWS, concentration=REAL[::-1].copy() * 0.3)),
    ("GeneralizedPareto", dict(loc=0.0, scale=1.0, concentration=0.0)), ("Gumbel", dict(loc=REAL, scale=ROWS)),
    ("Kumaraswamy", dict(concentration1=ROWS, concentration0=ROWS[::-1].copy())),
    ("Bernoulli", dict(probs=PROBS)), ("Bernoulli", dict(logits=REAL)), ("ContinuousBernoulli", dict(probs=PROBS)),
    ("ContinuousBernoulli", dict(probs=0.4999)), ("Binomial", dict(total_count=7, probs=PROBS)),
    ("Binomial", dict(total_count=40, logits=REAL)), ("Geometric", dict(probs=PROBS)), ("Geometric", dict(logits=REAL)),
    ("NegativeBinomial", dict(total_count=5, probs=PROBS)), ("NegativeBinomial", dict(total_count=ROWS, logits=REAL)),
    ("Poisson", dict(rate=ROWS * 4)), ("Categorical", dict(probs=WEIGHTS)), ("Categorical", dict(logits=LOGITS)),
    ("OneHotCategorical", dict(probs=WEIGHTS)), ("OneHotCategorical", dict(logits=LOGITS)),
    ("OneHotCategoricalStraightThrough", dict(logits=LOGITS)), ("Multinomial", dict(total_count=6, probs=WEIGHTS)),
    ("RelaxedBernoulli", dict(temperature=np.array(0.7), probs=PROBS)),
    ("RelaxedOneHotCategorical", dict(temperature=np.array(0.7), logits=LOGITS)),
    ("MultivariateNormal", dict(loc=REAL[:, 0].copy(), covariance_matrix=COV)),
    ("MultivariateNormal", dict(loc=LOGITS[:, :3].copy(), precision_matrix=COV)),
    ("MultivariateNormal", dict(loc=LOGITS[:, :3].copy(), scale_tril=TRIL)),
    ("LowRankMultivariateNormal", dict(loc=LOGITS[:, :3].copy(), cov_factor=FACTOR, cov_diag=ROWS[:, 0].copy())),
    ("Wishart", dict(df=np.array([5.0, 7.0]), covariance_matrix=COV)), ("Wishart", dict(df=np.array(4.5), scale_tril=TRIL)),
    ("LKJCholesky", dict(dim=3, concentration=ROWS[:, 0].copy())), ("VonMises", dict(loc=REAL, concentration=ROWS)),
]
IDS = [f"{n}-{i}" for i, (n, _) in enumerate(CASES)]
MOMENTS = ["mean", "mode", "variance", "stddev"]


def to(module, value, grad=False):
    if not isinstance(value, np.ndarray):
        return value
    return module.tensor(value, requires_grad=grad)


def made(module, name, params, grad=False):
    given = {k: to(module, v, grad) for k, v in params.items()}
    return getattr(module.distributions, name)(**given), [v for v in given.values() if hasattr(v, "grad")]


def numbers(x):
    return np.asarray(x.detach().numpy())


def attempt(fn):
    """The result as an array, or the type of the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return numbers(fn())
        except Exception as e:
            return type(e).__name__


def same(ours, theirs, what, rtol=1e-6):
    if isinstance(theirs, str):  # a RuntimeError of PyTorch's is a fault of its own
        assert isinstance(ours, str) or theirs == "RuntimeError", f"{what}: PyTorch raises {theirs}, kobai gives {ours}"
        return
    assert not isinstance(ours, str), f"{what}: kobai raises {ours}"
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype, f"{what}: {ours.dtype}{ours.shape}"
    atol = 1e-6 if theirs.dtype == np.float32 else 1e-8
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, err_msg=what)


def both(name, params, grad=False):
    return made(kobai, name, params, grad), made(torch, name, params, grad)


@pytest.mark.parametrize("name, params", CASES, ids=IDS)
def test_shapes_and_moments(name, params):
    (p, _), (q, _) = both(name, params)
    assert (p.batch_shape, p.event_shape) == (tuple(q.batch_shape), tuple(q.event_shape))
    assert (p.has_rsample, p.has_enumerate_support) == (q.has_rsample, q.has_enumerate_support)
    assert repr(p) == repr(q)
    assert repr(p.support) == repr(q.support).replace("dtype=torch.float64", "dtype=torch.float64")
    for moment in MOMENTS:
        if (name, moment) != ("Kumaraswamy", "mode"):  # PyTorch's has a sign wrong: NaN
            same(attempt(lambda moment=moment: getattr(p, moment)), attempt(lambda moment=moment: getattr(q, moment)),
                 moment)
    same(attempt(p.entropy), attempt(q.entropy), "entropy", 2e-6)
    same(attempt(p.enumerate_support), attempt(q.enumerate_support), "enumerate_support")


@pytest.mark.parametrize("name, params", CASES, ids=IDS)
def test_the_same_random_numbers(name, params):
    (p, _), (q, _) = both(name, params)
    for shape in ((), (4,), (2, 3)):
        kobai.manual_seed(3)
        torch.manual_seed(3)
        same(attempt(lambda shape=shape: p.sample(shape)), attempt(lambda shape=shape: q.sample(shape)), "sample")


@pytest.mark.parametrize("name, params", CASES, ids=IDS)
def test_densities_and_their_gradients(name, params):
    (p, ours), (q, theirs) = both(name, params, True)
    torch.manual_seed(5)
    x = q.sample((2,))
    y = kobai.from_numpy(x.numpy())
    density, wanted = p.log_prob(y), attempt(lambda: q.log_prob(x))
    if isinstance(wanted, str):
        pytest.skip("PyTorch cannot: it mixes float32 and float64")
    wanted = q.log_prob(x)
    same(numbers(density), numbers(wanted), "log_prob", 1e-5)
    same(attempt(lambda: p.cdf(y)), attempt(lambda: q.cdf(x)), "cdf")
    level = np.random.default_rng(0).uniform(0.1, 0.9, (2, *q.batch_shape))
    same(attempt(lambda: p.icdf(kobai.from_numpy(level))), attempt(lambda: q.icdf(torch.from_numpy(level))), "icdf", 1e-5)
    if wanted.requires_grad:
        weights = np.random.default_rng(1).standard_normal(tuple(wanted.shape))
        (density * kobai.from_numpy(weights)).sum().backward()
        (wanted * torch.from_numpy(weights)).sum().backward()
        for a, b in zip(ours, theirs):
            if b.grad is not None:
                same(numbers(a.grad), numbers(b.grad), "gradient of log_prob", 1e-4)


@pytest.mark.parametrize("name, params", [c for c in CASES if getattr(torch.distributions, c[0]).has_rsample],
                         ids=lambda v: v if isinstance(v, str) else "")
def test_gradients_of_samples(name, params):
    (p, ours), (q, theirs) = both(name, params, True)
    kobai.manual_seed(7)
    torch.manual_seed(7)
    x, y = p.rsample((5,)), q.rsample((5,))
    weights = np.random.default_rng(1).standard_normal(tuple(y.shape))
    if not y.requires_grad:
        return
    (x * kobai.from_numpy(weights)).sum().backward()
    try:
        (y * torch.from_numpy(weights)).sum().backward()
    except RuntimeError:
        pytest.skip("PyTorch cannot: it overwrites what it needs")
    for a, b in zip(ours, theirs):
        if b.grad is not None:  # PyTorch's own implicit gradients are good to three digits
            same(numbers(a.grad), numbers(b.grad), "gradient of rsample", 5e-3)


@pytest.mark.parametrize("name, params", CASES, ids=IDS)
def test_expand(name, params):
    (p, _), (q, _) = both(name, params)
    shape = (2, *q.batch_shape)
    p, q = p.expand(shape), q.expand(shape)
    assert (p.batch_shape, p.event_shape) == (tuple(q.batch_shape), tuple(q.event_shape))
    kobai.manual_seed(3)
    torch.manual_seed(3)
    x, y = p.sample(), q.sample()
    same(numbers(x), numbers(y), "sample")
    same(attempt(lambda: p.log_prob(x)), attempt(lambda: q.log_prob(y)), "log_prob", 1e-5)
    same(attempt(lambda: p.variance), attempt(lambda: q.variance), "variance")
    assert repr(p) == repr(q)


PAIRS = {n: p for n, p in CASES if all(np.ndim(v) == 2 for v in p.values())} | {
    "Binomial": dict(total_count=7, probs=PROBS), "Poisson": dict(rate=ROWS), "Categorical": dict(logits=LOGITS),
    "OneHotCategorical": dict(logits=LOGITS), "Dirichlet": dict(concentration=WEIGHTS), "Bernoulli": dict(logits=REAL),
    "MultivariateNormal": dict(loc=LOGITS[:, :3].copy(), covariance_matrix=COV),
    "LowRankMultivariateNormal": dict(loc=LOGITS[:, :3].copy(), cov_factor=FACTOR, cov_diag=ROWS[:, 0].copy()),
    "Beta": dict(concentration1=ROWS, concentration0=ROWS[::-1].copy()), "Pareto": dict(scale=ROWS, alpha=ROWS + 2)}


def other(params):
    """Other parameters of the same kind."""
    def change(k, v):
        if not isinstance(v, np.ndarray) or k in ("covariance_matrix", "scale"):
            return v * 0.9 if isinstance(v, np.ndarray) else v
        return v[::-1].copy() * 0.8 if v.ndim == 2 and k != "cov_factor" else v * 0.8
    return {k: change(k, v) for k, v in params.items()}


@pytest.mark.parametrize("a", PAIRS)
def test_divergences(a):
    for b in PAIRS:
        p, q = made(kobai, a, PAIRS[a])[0], made(kobai, b, other(PAIRS[b]))[0]
        r, s = made(torch, a, PAIRS[a])[0], made(torch, b, other(PAIRS[b]))[0]
        same(attempt(lambda p=p, q=q: kobai.distributions.kl_divergence(p, q)),
             attempt(lambda r=r, s=s: torch.distributions.kl_divergence(r, s)), f"kl({a}, {b})", 1e-5)


COMPOSED = {
    "independent": lambda t, D: D.Independent(D.Normal(t.tensor(REAL), t.tensor(ROWS)), 1),
    "mixture": lambda t, D: D.MixtureSameFamily(D.Categorical(t.tensor(PROBS)),
                                                D.Normal(t.tensor(REAL), t.tensor(ROWS))),
    "mixture of vectors": lambda t, D: D.MixtureSameFamily(
        D.Categorical(t.tensor(WEIGHTS[0])), D.Independent(D.Normal(t.tensor(LOGITS.T.copy()), 0.5), 1)),
    "transformed": lambda t, D: D.TransformedDistribution(
        D.Normal(t.tensor(REAL), t.tensor(ROWS)), [D.AffineTransform(1.0, 2.0), D.TanhTransform()]),
    "decreasing": lambda t, D: D.TransformedDistribution(
        D.Uniform(t.tensor(0.0), t.tensor(1.0)), [D.SigmoidTransform().inv, D.AffineTransform(1.0, -2.0)]),
    "of vectors": lambda t, D: D.TransformedDistribution(
        D.Normal(t.tensor(REAL), t.tensor(ROWS)), [D.ExpTransform(), D.StickBreakingTransform()]),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_distributions_of_distributions(name):
    p, q = (COMPOSED[name](t, t.distributions) for t in (kobai, torch))
    assert (p.batch_shape, p.event_shape, repr(p.support)) == (tuple(q.batch_shape), tuple(q.event_shape), repr(q.support))
    assert repr(p) == repr(q)
    for expanded in (False, True):
        if expanded:
            p, q = p.expand((2, *p.batch_shape)), q.expand((2, *q.batch_shape))
        kobai.manual_seed(1)
        torch.manual_seed(1)
        x, y = p.sample((3,)), q.sample((3,))
        same(numbers(x), numbers(y), "sample")
        same(numbers(p.log_prob(x)), numbers(q.log_prob(y)), "log_prob")
        for what in ("mean", "variance", "entropy"):
            same(attempt(lambda what=what: _of(p, what)), attempt(lambda what=what: _of(q, what)), what)
        same(attempt(lambda: p.cdf(x)), attempt(lambda: q.cdf(y)), "cdf")


def _of(d, what):
    value = getattr(d, what)
    return value() if callable(value) else value


TRANSFORMS = {
    "abs": (lambda t, D: D.AbsTransform(), REAL), "affine": (lambda t, D: D.AffineTransform(t.tensor(REAL), -2.0), REAL),
    "affine of vectors": (lambda t, D: D.AffineTransform(0.5, t.tensor(ROWS), event_dim=1), REAL),
    "compose": (lambda t, D: D.ComposeTransform([D.ExpTransform(), D.PowerTransform(t.tensor(0.5)), D.AffineTransform(1.0, 2.0)]), REAL),
    "correlation": (lambda t, D: D.CorrCholeskyTransform(), RNG.standard_normal((2, 6))),
    "cdf": (lambda t, D: D.CumulativeDistributionTransform(D.Normal(t.tensor(0.0), t.tensor(1.0))), REAL),
    "exp": (lambda t, D: D.ExpTransform(), REAL), "inverse": (lambda t, D: D.ExpTransform().inv, ROWS),
    "independent": (lambda t, D: D.IndependentTransform(D.SigmoidTransform(), 1), REAL),
    "lower": (lambda t, D: D.LowerCholeskyTransform(), TRIL), "definite": (lambda t, D: D.PositiveDefiniteTransform(), TRIL),
    "power": (lambda t, D: D.PowerTransform(t.tensor(-2.0)), ROWS), "reshape": (lambda t, D: D.ReshapeTransform((2,), (2, 1)), REAL),
    "sigmoid": (lambda t, D: D.SigmoidTransform(), REAL), "softplus": (lambda t, D: D.SoftplusTransform(), REAL),
    "tanh": (lambda t, D: D.TanhTransform(), REAL), "softmax": (lambda t, D: D.SoftmaxTransform(), LOGITS),
    "sticks": (lambda t, D: D.StickBreakingTransform(), LOGITS),
    "stack": (lambda t, D: D.StackTransform([D.ExpTransform(), D.AffineTransform(0.0, 2.0)], -1), REAL),
    "cat": (lambda t, D: D.CatTransform([D.ExpTransform(), D.TanhTransform()], -1, [1, 3]), LOGITS),
    "identity": (lambda t, D: D.identity_transform, REAL)}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name):
    make, x = TRANSFORMS[name]
    (p, a), (q, b) = ((make(t, t.distributions), t.tensor(x)) for t in (kobai, torch))
    y, z = p(a), q(b)
    same(numbers(y), numbers(z), "forward")
    same(numbers(p.inv(y)), numbers(q.inv(z)), "inverse", 1e-5)
    same(attempt(lambda: p.log_abs_det_jacobian(a, y)), attempt(lambda: q.log_abs_det_jacobian(b, z)), "Jacobian", 1e-5)
    assert (repr(p), repr(p.domain), repr(p.codomain), p.bijective) == (repr(q), repr(q.domain), repr(q.codomain), q.bijective)
    assert p.domain.event_dim == q.domain.event_dim and p.codomain.event_dim == q.codomain.event_dim
    assert tuple(p.forward_shape(a.shape)) == tuple(q.forward_shape(b.shape))
    assert (p == make(kobai, kobai.distributions)) == (q == make(torch, torch.distributions))


SETS = ["boolean", "corr_cholesky", "lower_cholesky", "lower_triangular", "nonnegative", "nonnegative_integer", "one_hot",
        "positive", "positive_definite", "positive_integer", "positive_semidefinite", "real", "real_vector", "simplex",
        "square", "symmetric", "unit_interval", "greater_than(1.)", "greater_than_eq(1)", "half_open_interval(0, 1.)",
        "integer_interval(0, 2)", "interval(-1., 1.)", "less_than(0.5)", "multinomial(2)", "independent(positive, 1)",
        "cat([real, positive, real], -1)", "stack([real, positive, real], -1)"]
VALUES = [TRIL, COV, np.eye(3), REAL[:, :1] * np.ones(3), np.array([[0.2, 0.3, 0.5]] * 3), np.full((3, 3), np.nan), -np.eye(3)]


@pytest.mark.parametrize("name", SETS)
def test_constraints(name):
    p, q = (eval(name, vars(t.distributions.constraints).copy()) for t in (kobai, torch))
    assert (repr(p), p.is_discrete, p.event_dim) == (repr(q), q.is_discrete, q.event_dim)
    for x in VALUES:
        same(numbers(p.check(kobai.tensor(x))), numbers(q.check(torch.tensor(x))), repr(x))
    for registry in ("biject_to", "transform_to"):
        found = []
        for t, c in ((kobai, p), (torch, q)):
            try:
                found.append(repr(getattr(t.distributions, registry)(c)))
            except NotImplementedError as e:
                found.append(str(e).partition("\n  cause:")[0])
        assert found[0] == found[1]


PROGRAMS = [
    lambda t, D: D.Normal(0.0, -1.0), lambda t, D: D.Normal(t.tensor([0.0, 1.0]), t.tensor([1.0, -1.0])),
    lambda t, D: D.Categorical(t.tensor([0.5, -0.5])), lambda t, D: D.Categorical(), lambda t, D: D.Bernoulli(1.5),
    lambda t, D: D.Bernoulli(0.5, logits=0.1), lambda t, D: D.Categorical(t.tensor(1.0)),
    lambda t, D: D.Normal(0.0, 1.0).log_prob(1.0), lambda t, D: D.Normal(0.0, 1.0).log_prob(t.tensor(float("nan"))),
    lambda t, D: D.Bernoulli(0.5).log_prob(t.tensor(0.3)), lambda t, D: D.Categorical(t.ones(3)).log_prob(t.tensor(3)),
    lambda t, D: D.Dirichlet(t.ones(3)).log_prob(t.ones(2)), lambda t, D: D.Uniform(1.0, 0.0),
    lambda t, D: D.Normal(t.zeros(3), 1.0).log_prob(t.zeros(2)), lambda t, D: D.MultivariateNormal(t.zeros(2)),
    lambda t, D: D.MultivariateNormal(t.zeros(2), t.ones(2, 2)), lambda t, D: D.Dirichlet(t.tensor(1.0)),
    lambda t, D: D.kl_divergence(D.Normal(0.0, 1.0), D.Bernoulli(0.5)), lambda t, D: D.Normal("a", 1.0),
    lambda t, D: D.Independent(D.Normal(0.0, 1.0), 1), lambda t, D: D.Multinomial(2.5, t.ones(2)),
    lambda t, D: D.LKJCholesky(1), lambda t, D: D.Normal(0.0, 1.0).enumerate_support(),
    lambda t, D: D.Wishart(t.tensor(1.0), t.eye(3)), lambda t, D: D.Geometric(t.tensor([0.0, 0.5])),
    lambda t, D: D.TransformedDistribution(D.Normal(0.0, 1.0), [1]), lambda t, D: D.Binomial(3, 0.5).log_prob(t.tensor(4.0)),
    lambda t, D: D.MixtureSameFamily(D.Categorical(t.ones(3)), D.Normal(t.zeros(2), 1.0)),
    lambda t, D: D.Normal(0.0, 1.0, validate_args=False).log_prob(t.tensor(float("nan")))]


@pytest.mark.parametrize("program", PROGRAMS, ids=[str(i) for i in range(len(PROGRAMS))])
def test_messages(program):
    found = []
    for t in (kobai, torch):
        try:
            found.append(str(program(t, t.distributions)))
        except Exception as e:
            found.append((type(e).__name__, " ".join(str(e).partition("\n  cause:")[0].split())))
    if found[1] != ("NotImplementedError", ""):  # PyTorch says nothing
        assert found[0] == found[1]
    assert found[0][0] == found[1][0]


def test_every_name_is_there():
    assert set(torch.distributions.__all__) == set(kobai.distributions.__all__)
    for name in ("normal", "categorical", "utils", "kl", "constraints", "transforms", "multivariate_normal"):
        theirs = getattr(torch.distributions, name)
        ours = __import__("importlib").import_module("kobai.distributions." + name)
        missing = [n for n in getattr(theirs, "__all__", []) if not hasattr(ours, n)]
        assert not missing, f"{name}: {missing}"
