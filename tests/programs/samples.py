"""Distributions: samples, densities, divergences, transforms, errors."""

import torch
import torch.distributions as D

torch.manual_seed(0)
n = D.Normal(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))
print(
    n,
    n.sample(),
    n.rsample((2,)),
    n.log_prob(torch.zeros(2)),
    n.entropy(),
    n.cdf(torch.tensor(0.5)),
    n.icdf(torch.tensor(0.3)),
    n.mean,
    n.stddev,
    n.variance,
    n.batch_shape,
    n.event_shape,
)
c = D.Categorical(torch.tensor([0.1, 0.2, 0.7]))
print(c, c.sample((8,)), c.log_prob(torch.tensor([0, 2])), c.entropy(), c.probs, c.logits, c.param_shape)
print(
    D.Categorical(logits=torch.randn(2, 3)).sample(),
    D.OneHotCategorical(torch.ones(3) / 3).sample(),
    D.Bernoulli(torch.tensor([0.3, 0.9])).sample((3,)),
    D.Binomial(10, torch.tensor(0.4)).sample((5,)),
    D.Multinomial(5, torch.ones(3)).sample(),
    D.Geometric(torch.tensor(0.3)).sample((4,)),
)
print(
    D.Uniform(0.0, 2.0).sample((3,)),
    D.Exponential(1.5).sample((3,)),
    D.Gamma(2.0, 3.0).sample((3,)),
    D.Beta(2.0, 3.0).sample((3,)),
    D.Dirichlet(torch.ones(3)).sample(),
    D.Laplace(0.0, 1.0).sample((3,)),
    D.LogNormal(0.0, 1.0).sample((3,)),
    D.Gumbel(0.0, 1.0).sample((3,)),
    D.Cauchy(0.0, 1.0).sample((3,)),
    D.StudentT(3.0).sample((3,)),
    D.Poisson(4.0).sample((5,)),
    D.Chi2(2.0).sample((2,)),
    D.Weibull(1.0, 2.0).sample((2,)),
    D.Pareto(1.0, 2.0).sample((2,)),
    D.HalfNormal(1.0).sample((2,)),
    D.HalfCauchy(1.0).sample((2,)),
    D.VonMises(0.0, 4.0).sample((2,)),
    D.Kumaraswamy(1.0, 2.0).sample((2,)),
    D.FisherSnedecor(2.0, 3.0).sample((2,)),
    D.NegativeBinomial(5.0, 0.4).sample((2,)),
    D.ContinuousBernoulli(0.3).sample((2,)),
    D.LogisticNormal(torch.zeros(2), torch.ones(2)).sample(),
    sep="\n",
)
cov = torch.tensor([[2.0, 0.5], [0.5, 1.0]])
mv = D.MultivariateNormal(torch.zeros(2), cov)
print(
    mv,
    mv.sample((3,)),
    mv.log_prob(torch.ones(2)),
    mv.entropy(),
    mv.precision_matrix,
    mv.scale_tril,
    D.LowRankMultivariateNormal(torch.zeros(2), torch.ones(2, 1), torch.ones(2)).sample(),
    D.Wishart(torch.tensor(3.0), torch.eye(2)).sample().shape,
    D.LKJCholesky(3, 1.0).sample(),
)
print(
    D.kl_divergence(D.Normal(0.0, 1.0), D.Normal(1.0, 2.0)),
    D.kl_divergence(mv, D.MultivariateNormal(torch.ones(2), torch.eye(2))),
    D.kl_divergence(c, D.Categorical(torch.ones(3))),
    D.kl.kl_divergence(D.Beta(1.0, 2.0), D.Beta(2.0, 1.0)),
    D.kl_divergence(D.Bernoulli(0.3), D.Bernoulli(0.6)),
    D.kl_divergence(D.Gamma(1.0, 2.0), D.Gamma(2.0, 1.0)),
    D.kl_divergence(D.Dirichlet(torch.ones(2)), D.Dirichlet(torch.tensor([1.0, 2.0]))),
)
i = D.Independent(n, 1)
print(i, i.log_prob(torch.zeros(2)), i.event_shape)
mix = D.MixtureSameFamily(
    D.Categorical(torch.tensor([0.3, 0.7])), D.Normal(torch.tensor([-1.0, 1.0]), torch.tensor([0.5, 0.5]))
)
print(mix, mix.sample((4,)), mix.log_prob(torch.tensor(0.2)), mix.mean, mix.variance, mix.cdf(torch.tensor(0.0)))
td = D.TransformedDistribution(D.Normal(0.0, 1.0), [D.transforms.ExpTransform(), D.AffineTransform(1.0, 2.0)])
print(td, td.sample((2,)), td.log_prob(torch.tensor(3.0)))
for t in [
    D.SigmoidTransform(),
    D.TanhTransform(),
    D.ExpTransform(),
    D.AffineTransform(1.0, 2.0),
    D.SoftplusTransform(),
    D.PowerTransform(2.0),
    D.StickBreakingTransform(),
    D.ComposeTransform([D.ExpTransform(), D.AffineTransform(0.0, 2.0)]),
]:
    v = torch.tensor([0.3, 0.7])
    y = t(v)
    print(t, y, t.inv(y), t.log_abs_det_jacobian(v, y))
print(
    n.expand((3, 2)).batch_shape,
    n.arg_constraints,
    n.support,
    c.support,
    D.Beta(1.0, 1.0).support,
    D.constraints.positive.check(torch.tensor([1.0, -1.0])),
    n.has_rsample,
    c.has_rsample,
    c.has_enumerate_support,
    c.enumerate_support(),
)


def err(f):
    try:
        print("ok", f())
    except Exception as e:
        print(type(e).__name__ + ":", "" if isinstance(e, NotImplementedError) else str(e).split("\n")[0])


err(lambda: D.Normal(0.0, -1.0))
err(lambda: D.Normal(torch.tensor([0.0, float("nan")]), 1.0))
err(lambda: D.Categorical(torch.tensor([-1.0, 2.0])))
err(lambda: D.Bernoulli(2.0))
err(lambda: D.Bernoulli(1.0, 1.0))
err(lambda: c.log_prob(torch.tensor(5)))
err(lambda: D.Beta(1.0, 1.0).log_prob(torch.tensor(2.0)))
err(lambda: c.rsample())
err(lambda: D.kl_divergence(D.Normal(0.0, 1.0), D.Cauchy(0.0, 1.0)))
err(lambda: D.MultivariateNormal(torch.zeros(2), -torch.eye(2)))
err(lambda: D.Uniform(2.0, 1.0))
err(lambda: D.Normal(0.0, 1.0).foo)
err(lambda: D.Normal(torch.zeros(2), torch.ones(3)))
err(lambda: D.Independent(n, 3))
err(lambda: D.Categorical())
err(lambda: D.Normal(0.0, 1.0, validate_args=False).log_prob(torch.tensor(float("inf"))))
mu = torch.tensor(0.5, requires_grad=True)
s = torch.tensor(1.5, requires_grad=True)
torch.manual_seed(2)
d = D.Normal(mu, s)
l = (d.rsample((1000,)) ** 2).mean()
l.backward()
print(l, mu.grad, s.grad, d)
r = D.RelaxedOneHotCategorical(torch.tensor(0.5), logits=torch.zeros(3))
print(r.rsample(), r)
rb = D.RelaxedBernoulli(torch.tensor(0.5), torch.tensor(0.3))
print(rb.rsample(), rb)
a = torch.tensor(2.0, requires_grad=True)
g = D.Gamma(a, 1.0).rsample((5,))
g.sum().backward()
print(g, a.grad)
