"""Dtypes that PyTorch has no code for are refused, in its words (texts printed by PyTorch 2.13)."""
import pytest

import kobai as torch
import kobai.nn.functional as F

TWO = "Subtraction, the `-` operator, with two bool tensors is not supported."
ONE = "Subtraction, the `-` operator, with a bool tensor is not supported."


def mask():
    return torch.tensor([True, False])


@pytest.mark.parametrize("run, kind, text", [
    (lambda: mask() - mask(), RuntimeError, TWO),
    (lambda: mask() - True, RuntimeError, TWO),
    (lambda: mask() - 1, RuntimeError, ONE),
    (lambda: 1 - mask(), RuntimeError, ONE),
    (lambda: torch.ones(2) - mask(), RuntimeError, ONE),
    (lambda: torch.ones(2).sub_(mask()), RuntimeError, ONE),
    (lambda: -mask(), RuntimeError, "Negation, the `-` operator, on a bool tensor is not supported."),
    (lambda: torch.ones(2) & torch.ones(2), NotImplementedError, "\"bitwise_and_cpu\" not implemented for 'Float'"),
    (lambda: torch.tensor([1, 2]) | torch.ones(2), NotImplementedError, "\"bitwise_or_cpu\" not implemented for 'Float'"),
    (lambda: torch.bitwise_not(torch.ones(2).double()), NotImplementedError,
     "\"bitwise_not_cpu\" not implemented for 'Double'"),
    (lambda: torch.tensor([1j]) > 0, NotImplementedError, "\"gt_cpu\" not implemented for 'ComplexFloat'"),
    (lambda: torch.maximum(torch.tensor([1j]), torch.tensor([1j])), RuntimeError,
     "maximum not implemented for complex tensors."),
    (lambda: F.gelu(torch.tensor([1, 2])), NotImplementedError, "\"GeluKernelImpl\" not implemented for 'Long'"),
    (lambda: F.leaky_relu(torch.tensor([1, 2])), NotImplementedError, "\"leaky_relu_cpu\" not implemented for 'Long'"),
    (lambda: F.relu(mask()), RuntimeError, "Boolean inputs not supported for relu"),
    (lambda: F.relu(torch.tensor([1j])), NotImplementedError, "clamp is not supported for complex types"),
    (lambda: F.mse_loss(torch.tensor([1, 2]), torch.tensor([1, 2])), NotImplementedError,
     "\"mse_cpu\" not implemented for 'Long'"),
    (lambda: F.binary_cross_entropy(torch.ones(2), torch.tensor([1, 0])), RuntimeError,
     "Found dtype Long but expected Float"),
    (lambda: F.binary_cross_entropy_with_logits(torch.ones(2), torch.tensor([1, 0])), RuntimeError,
     "result type Float can't be cast to the desired output type Long"),
    (lambda: F.cross_entropy(torch.ones(2, 3), torch.ones(2)), RuntimeError,
     "expected target dtype to be Long or Byte, but got Float"),
    (lambda: F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 1]).int()), RuntimeError,
     "expected target dtype to be Long or Byte, but got Int"),
    (lambda: F.cross_entropy(torch.ones(2, 3), torch.tensor([[0], [1]])), RuntimeError,
     "0D or 1D target tensor expected, multi-target not supported"),
])
def test_is_refused(run, kind, text):
    with pytest.raises(kind) as caught:
        run()
    assert str(caught.value).startswith(text)


def test_what_pytorch_takes_still_passes():
    assert torch.equal(torch.tensor([3]) - 1, torch.tensor([2]))
    assert torch.equal(torch.tensor([3]) & torch.tensor([2]), torch.tensor([2]))
    assert torch.equal(mask() ^ mask(), torch.tensor([False, False]))
    assert torch.equal(F.relu(torch.tensor([-1, 2])), torch.tensor([0, 2]))
    assert torch.equal(torch.tensor([2]) > True, torch.tensor([True]))
    assert (mask() * 1 - 1).tolist() == [0, -1]


def test_a_loss_of_several_dimensions_names_the_sizes():
    with pytest.raises(RuntimeError, match=r"Expected target size \[2, 4\], got \[2, 3\]"):
        F.cross_entropy(torch.ones(2, 3, 4), torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(RuntimeError, match="only batches of spatial targets supported"):
        F.cross_entropy(torch.ones(2, 3, 4, 4), torch.zeros(2, 4, dtype=torch.int64))
