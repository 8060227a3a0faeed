"""torch.masked: calls made with PyTorch and with kobai."""
import pytest

pytest.importorskip("torch")

CALLS = """
sum(x, 1, mask=k)|sum(x, mask=k)|sum(x, (), mask=k)|sum(i, 1, mask=k)|sum(x, 1, mask=k, keepdim=True)|sum(b, mask=k)
sum(x, mask=k[0])|sum(x, mask=i)|sum(x, dtype=torch.float64, mask=k)|prod(x, 1, mask=k)|prod(x, mask=k)
prod(b, 1, mask=k)|amax(x, 1, mask=k)|amax(i, 1, mask=k)|amin(x, mask=k)|amin(x, (0, 1), mask=k)|amax(b, mask=k)
argmax(x, 1, mask=k)|argmax(x, mask=k)|argmin(x, 1, mask=k, keepdim=True)|mean(x, 1, mask=k)
mean(x, (0, 1), mask=k, keepdim=True)|mean(i, mask=k)|median(x, 1, mask=k)|median(x, 0)|norm(x, 2, 1, mask=k)
norm(x, float('inf'), 1, mask=k)|norm(x, -float('inf'), 1, mask=k)|norm(x, 0, 1, mask=k)|norm(i)|var(x, 1, mask=k)
var(x, 1, True, mask=k)|var(x, 1, correction=2, mask=k)|var(i, 1, mask=k)|std(x, None, False, mask=k)|std(x, 1)
softmax(x, 1, mask=k)|log_softmax(x, 1, mask=k)|softmin(x, 1, mask=k)|normalize(x, 2, 1, mask=k)
logaddexp(x, x + 1, input_mask=k, other_mask=~k)|logsumexp(x, 1, mask=k)|logsumexp(x, mask=k)|cumsum(x, 1, mask=k)
cumprod(x, 1, mask=k)|cumsum(i.int(), 1, mask=k)|sum(x, mask=k[:, :1].expand(2, 4))|cumsum(x, 5)
""".replace("\n", "|").strip("|").split("|")


@pytest.mark.parametrize("text", CALLS)
def test_calls(torch, text):
    x = torch.tensor([[0.5, -1.0, 2.0], [3.0, 4.0, -5.0]], requires_grad=True)
    i, k = torch.arange(6).reshape(2, 3), torch.tensor([[True, False, True], [False, True, True]])
    y = eval("torch.masked." + text, {"torch": torch, "x": x, "i": i, "b": i > 2, "k": k, "float": float})
    g = torch.autograd.grad(y[y > -1e9].sum(), x)[0] if y.requires_grad else None
    return y.detach(), g
