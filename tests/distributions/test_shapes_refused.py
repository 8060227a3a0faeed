"""Parameters of different shapes. The text is PyTorch's."""
import pytest

import kobai
from kobai.distributions import Normal


def test_parameters_that_do_not_fit_name_their_sizes():
    with pytest.raises(RuntimeError, match=r"The size of tensor a \(2\) must match the size of tensor b \(3\) at non-singleton "
                                           "dimension 0"):
        Normal(kobai.zeros(2), kobai.ones(3))
