"""GaussianNLLLoss: which shapes of the variance it takes; the expected values are PyTorch 2.13's."""
import pytest

import kobai
from kobai.nn.functional import gaussian_nll_loss


@pytest.mark.parametrize("shape", [(4, 3), (4, 1), (1, 3), (4,)])
def test_one_dimension_of_the_variance_may_be_missing_or_1(shape):
    loss = gaussian_nll_loss(kobai.ones(4, 3), kobai.zeros(4, 3), kobai.full(shape, 2.0))
    assert loss.item() == pytest.approx(0.5 * (0.6931472 + 0.5), rel=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3,), (1,)])
def test_others_are_refused(shape):
    with pytest.raises(ValueError, match="var is of incorrect size"):
        gaussian_nll_loss(kobai.ones(4, 3), kobai.zeros(4, 3), kobai.ones(shape))
