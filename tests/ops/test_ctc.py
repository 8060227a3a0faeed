"""CTC loss against the sum over all alignments, written out; its gradient against central differences."""
import itertools

import numpy as np
import pytest

import kobai
from kobai.nn import functional as F

T, C = 5, 4
LOG_PROBS = np.log(np.random.default_rng(0).dirichlet(np.ones(C), (T, 3)))
TARGETS = np.array([[1, 2, 3], [2, 2, 0], [3, 0, 0]])
INPUTS, LENGTHS = (5, 4, 2), (3, 2, 1)


def by_hand(log_probs, target, blank=0):
    """-log of the sum over all sequences of labels that become `target` without repeats and blanks."""
    total = 0
    for path in itertools.product(range(C), repeat=len(log_probs)):
        merged = [k for k, _ in itertools.groupby(path) if k != blank]
        if merged == list(target):
            total += np.exp(sum(log_probs[t, k] for t, k in enumerate(path)))
    return -np.log(total)


@pytest.mark.parametrize("joined", [False, True])
def test_the_sum_over_all_alignments(joined):
    want = [by_hand(LOG_PROBS[:n, i], TARGETS[i, :k]) for i, (n, k) in enumerate(zip(INPUTS, LENGTHS))]
    targets = np.concatenate([row[:k] for row, k in zip(TARGETS, LENGTHS)]) if joined else TARGETS
    args = kobai.from_numpy(LOG_PROBS), kobai.from_numpy(targets), INPUTS, LENGTHS
    np.testing.assert_allclose(F.ctc_loss(*args, reduction="none").numpy(), want)
    assert F.ctc_loss(*args, reduction="sum").item() == pytest.approx(sum(want))
    assert F.ctc_loss(*args).item() == pytest.approx(np.mean(np.array(want) / LENGTHS))
    one = F.ctc_loss(args[0][:, 0], kobai.from_numpy(TARGETS[0]), kobai.tensor(5), kobai.tensor(3), reduction="none")
    assert one.shape == () and one.item() == pytest.approx(want[0])


def test_another_blank():
    targets, log_probs = kobai.tensor([[1, 0]]), kobai.from_numpy(LOG_PROBS[:, :1])
    have = F.ctc_loss(log_probs, targets, (5,), (2,), blank=3, reduction="sum").item()
    assert have == pytest.approx(by_hand(LOG_PROBS[:, 0], [1, 0], 3))


def test_the_gradient_through_log_softmax():
    """PyTorch's gradient has that of log_softmax in it, so only the gradient of the logits is defined by the loss."""
    logits = np.random.default_rng(1).standard_normal((T, 3, C))

    def loss(x):
        return F.ctc_loss(F.log_softmax(x, 2), kobai.from_numpy(TARGETS), INPUTS, LENGTHS)
    x = kobai.tensor(logits, requires_grad=True)
    loss(x).backward()
    d = np.random.default_rng(2).standard_normal(logits.shape)
    plus, minus = (loss(kobai.from_numpy(logits + s * 1e-6 * d)).item() for s in (1, -1))
    assert (x.grad.numpy() * d).sum() == pytest.approx((plus - minus) / 2e-6, rel=1e-6)


def test_targets_that_do_not_fit():
    x = kobai.tensor(LOG_PROBS, requires_grad=True)
    args = x, kobai.from_numpy(TARGETS), (2, 2, 2), LENGTHS
    assert F.ctc_loss(*args, reduction="none").tolist()[:2] == [np.inf, np.inf]  # 2 2 needs a blank between
    loss = F.ctc_loss(*args, reduction="sum", zero_infinity=True)
    assert loss.item() == pytest.approx(by_hand(LOG_PROBS[:2, 2], [3]))
    loss.backward()
    assert np.isfinite(x.grad.numpy()).all() and not x.grad[:, :2].any() and not x.grad[2:].any()


def test_linear_cross_entropy_is_both():
    x, w, b = (kobai.randn(*s) for s in ((3, 4), (5, 2, 4), (5, 2)))
    target = kobai.tensor([[0, 4], [1, 2], [3, 3]])
    logits = kobai.einsum("ni,cdi->ncd", x, w) + b
    have = F.linear_cross_entropy(x, w, target, linear_bias=b, label_smoothing=0.1)
    assert have.item() == pytest.approx(F.cross_entropy(logits, target, label_smoothing=0.1).item(), rel=1e-6)


@pytest.mark.parametrize(("change", "phrase"), [
    ({"input_lengths": (7, 4, 2)}, "Expected input_lengths to have value at most 5, but got value 7"),
    ({"target_lengths": (-1, 2, 1)}, "Expected target_lengths to have value at least 0, but got value -1"),
    ({"input_lengths": (5, 4)}, "input_lengths must be of size batch_size"),
    ({"target_lengths": (4, 2, 1)}, "Expected tensor to have size at least 4 at dimension 1, but got size 3"),
    ({"blank": 4}, "blank must be in label range"), ({"reduction": "x"}, "x is not a valid value for reduction")])
def test_errors(change, phrase):
    given = dict(log_probs=kobai.from_numpy(LOG_PROBS), targets=kobai.from_numpy(TARGETS), input_lengths=INPUTS,
                 target_lengths=LENGTHS) | change
    with pytest.raises((RuntimeError, ValueError)) as caught:
        F.ctc_loss(**given)
    assert str(caught.value).startswith(phrase)
