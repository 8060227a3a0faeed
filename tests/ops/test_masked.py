"""torch.masked against NumPy on the elements that are not masked out."""
import numpy as np
import pytest

import kobai
from kobai import masked

X = np.random.default_rng(0).standard_normal((3, 4))
MASK = np.array([[1, 0, 1, 1], [0, 0, 1, 0], [1, 1, 1, 1]], bool)
LEFT = np.where(MASK, X, np.nan)
REDUCTIONS = {"sum": np.nansum, "prod": np.nanprod, "mean": np.nanmean, "amax": np.nanmax, "amin": np.nanmin,
              "argmax": np.nanargmax, "argmin": np.nanargmin,
              "logsumexp": lambda a, axis=None: np.log(np.nansum(np.exp(a), axis)),
              "norm": lambda a, axis=None: np.sqrt(np.nansum(a * a, axis))}


def tensors():
    return kobai.tensor(X, requires_grad=True), kobai.from_numpy(MASK)


@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, dim):
    x, mask = tensors()
    if name == "logsumexp" and dim is None:
        dim = (0, 1)
    options = {"dim": dim} if name != "norm" else {"ord": 2, "dim": dim}
    have = getattr(masked, name)(x, mask=mask, **options)
    np.testing.assert_allclose(have.detach().numpy(), REDUCTIONS[name](LEFT, axis=dim))


@pytest.mark.parametrize("options", [{}, {"unbiased": False}, {"correction": 2}])
def test_variance(options):
    x, mask = tensors()
    ddof = options.get("correction", 0 if "unbiased" in options else 1)
    found = masked.var(x, mask=mask, **options), masked.std(x, mask=mask, **options)
    np.testing.assert_allclose([v.item() for v in found], [np.nanvar(LEFT, ddof=ddof), np.nanstd(LEFT, ddof=ddof)])


def test_softmax_and_others_along_a_dimension():
    x, mask = tensors()
    e = np.where(MASK, np.exp(X), 0)
    soft = e / e.sum(1, keepdims=True)
    np.testing.assert_allclose(masked.softmax(x, 1, mask=mask).detach().numpy(), soft)
    np.testing.assert_allclose(masked.softmin(-x, 1, mask=mask).detach().numpy(), soft)
    np.testing.assert_allclose(masked.log_softmax(x, 1, mask=mask).exp().detach().numpy(), soft)
    np.testing.assert_allclose(masked.cumsum(x, 1, mask=mask).detach().numpy(), np.nancumsum(LEFT, 1))
    np.testing.assert_allclose(masked.cumprod(x, 0, mask=mask).detach().numpy(), np.nancumprod(LEFT, 0))
    np.testing.assert_allclose(masked.median(x, 1, mask=mask).detach().numpy(),
                               [np.sort(v[k])[(k.sum() - 1) // 2] for v, k in zip(X, MASK)])
    unit = np.where(MASK, X, 0) / np.sqrt(np.nansum(LEFT ** 2, 1, keepdims=True))
    np.testing.assert_allclose(masked.normalize(x, 2, 1, mask=mask).detach().numpy(), unit)


@pytest.mark.parametrize("program", [
    lambda x, k: masked.mean(x, 1, mask=k), lambda x, k: masked.softmax(x, 1, mask=k) ** 2,
    lambda x, k: masked.var(x, 0, mask=k, correction=0), lambda x, k: masked.prod(x, 1, mask=k),
    lambda x, k: masked.logsumexp(x, 1, mask=k)])
def test_what_is_masked_out_has_no_gradient(program):
    x, mask = tensors()
    program(x, mask).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    np.testing.assert_array_equal(x.grad.numpy()[~MASK], 0)
    assert np.abs(x.grad.numpy()[MASK]).max() > 0


def test_masks_are_broadcast_and_identities_are_of_the_dtype():
    x = kobai.tensor([[1, 2], [3, 4]])
    assert masked.sum(x, 1, mask=kobai.tensor([True, False])).tolist() == [1, 3]
    assert masked.amax(x, mask=kobai.tensor(False)).item() == np.iinfo(np.int64).min
    assert masked.mean(x.float(), mask=kobai.tensor(False)).isnan()
    with pytest.raises(IndexError, match="_input_mask expected broadcastable mask"):
        masked.sum(x[0], mask=kobai.ones(2, 2))
    with pytest.raises(ValueError, match="Could not infer output dtype"):
        masked.mean(x)
