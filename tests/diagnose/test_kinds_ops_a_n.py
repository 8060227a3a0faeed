"""Common mistakes with operations, from activations to norms: what kobai says, in both languages.

All first lines are those of PyTorch 2.13.
"""
import numpy as np
import pytest

import kobai as torch
from kobai.nn import functional as F

X, V = torch.ones(2, 3), torch.ones(3)
NANS = torch.full((3, 3), float("nan"))
SCORES = torch.ones(2, 3)


def _assign():
    x = torch.ones(3, 2)
    x[torch.tensor([0, 1])] = torch.ones(3, 2)


def _qr_backward():
    x = torch.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    torch.linalg.qr(x, mode="r")[1].sum().backward()


MISTAKES = [  # (call, type, first line, code, in the cause, in the fix, in the Japanese text)
    (lambda: torch.zeros(2.5), TypeError, "zeros(): argument 'size' (position 1) must be tuple of ints, not float", "K402",
     "2.5 is not a whole number", "int(2.5)", "2.5 は整数ではありません"),
    (lambda: torch.zeros((2, 3), 4), TypeError, "zeros() takes 1 positional argument but 2 were given", "K408",
     "one tuple or separate numbers", "write zeros(2, 3, 4)", "zeros(2, 3, 4) と書いてください"),
    (lambda: torch.full(2, 1.0), TypeError, "full(): argument 'size' (position 1) must be tuple of ints, not int", "K402",
     "size is of type int", "write full((2,), 1.0)", "整数のタプル"),
    (lambda: torch.zeros(2, foo=1), TypeError, "zeros() got an unexpected keyword argument 'foo'", "K408",
     "no argument named foo", "look at the spelling", "foo という引数はありません"),
    (lambda: torch.zeros_like([1]), TypeError, "zeros_like(): argument 'input' (position 1) must be Tensor, not list",
     "K176", "take tensors", "torch.tensor(data)", "テンソルを受け取ります"),
    (lambda: torch.arange(0, 5, 0, dtype=torch.int64), RuntimeError, "step must be nonzero", "K304", "never comes to the end",
     "linspace", "0 ずつ進んでも"),
    (lambda: torch.tensor(["a"]), ValueError, "too many dimensions 'str'", "K402", "the list contains text",
     "torch.tensor([float(v) for v in data])", "文字列が含まれています"),
    (lambda: torch.tensor([1, [2]]), TypeError, "'list' object cannot be interpreted as an integer", "K402",
     "both numbers and lists", "equally deep", "同じ深さ"),
    (lambda: torch.tensor([[1, 2], 3]), TypeError, "not a sequence", "K402", "3 stands at depth 1",
     "make all rows lists of 2 numbers", "深さ 1 に 3 があります"),
    (lambda: torch.tensor([300], dtype=torch.uint8), RuntimeError, "value cannot be converted to type uint8 without overflow",
     "K420", "torch.uint8 holds 0 to 255; the data have 300 to 300", "a wider dtype", "0 から 255 まで"),
    (lambda: torch.from_numpy(np.ones(3)[::-1]), ValueError,
     "At least one stride in the given numpy array is negative", "K422", "backwards through its memory", "array.copy()",
     "逆向き"),
    (lambda: F.elu(V, alfa=1.0), TypeError, "elu() got an unexpected keyword argument 'alfa'", "K408",
     "elu() has no argument named alfa", "'input', 'alpha', 'inplace'", "alfa という引数はありません"),
    (lambda: F.gelu(V, approximate="erf"), RuntimeError, "approximate argument must be either none or tanh.", "K403",
     "approximate is 'erf'", "'none', 'tanh'", "選べるのは 'none', 'tanh'"),
    (lambda: F.softshrink(V, -1.0), RuntimeError,
     "lambda must be in range [0, 3.40282e+38] for input dtype Float, but found -1", "K401", "lambd is -1.0",
     "a number of at least 0", "lambd は -1.0 ですが、0 以上の数"),
    (lambda: F.glu(X), RuntimeError, "Halving dimension must be even, but dimension 1 is size 3", "K414",
     "dimension 1 of input has size 3", "twice as large", "偶数でなければ"),
    (lambda: F.dropout(V, 50), ValueError, "dropout probability has to be between 0 and 1, but got 50", "K213",
     "share of elements", "50 percent is 0.5", "0.5 と書きます"),
    (lambda: F.scaled_dot_product_attention(X, X, torch.ones(4, 3)), RuntimeError,
     "mat1 and mat2 shapes cannot be multiplied (2x2 and 4x3)", "K413", "key has shape (2, 3) and value has shape (4, 3)",
     "look at the lines that make key and value", "次元 -2 (位置の数)"),
    (lambda: F.avg_pool2d(X, 2), IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got -3)", "K411",
     "input has shape (2, 3), 2 dimensions; needed: 3 or 4", "(batch, channels, height, width)",
     "(バッチ, チャネル, 高さ, 幅)"),
    (lambda: F.max_pool1d(torch.ones(1, 1, 4), 7), RuntimeError, "max_pool1d() Invalid computed output size: 0", "K414",
     "windows of (7,) elements do not fit", "a smaller kernel_size", "収まりません"),
    (lambda: F.conv2d(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 2), padding="full"), RuntimeError,
     "Invalid padding string: 'full'", "K403", "padding is 'full'", "'valid', 'same'", "padding が 'full'"),
    (lambda: F.conv_transpose1d(torch.ones(1, 1, 4), torch.ones(1, 1, 3), output_padding=1), RuntimeError,
     "output padding must be smaller than either stride or dilation, but got output_padding_height: 0 "
     "output_padding_width: 1 stride_height: 1 stride_width: 1", "K401", "output_padding is (1,)",
     "numbers below stride or dilation", "stride か dilation より小さい数"),
    (lambda: F.interpolate(torch.ones(1, 1, 4)), ValueError, "either size or scale_factor should be defined", "K404",
     "neither size nor scale_factor", "give size", "size も scale_factor も"),
    (lambda: F.grid_sample(torch.ones(1, 4, 4), torch.ones(1, 2, 2, 2), align_corners=True), RuntimeError,
     "grid_sampler(): expected grid to have size 1 in last dimension, but got grid with sizes [1, 2, 2, 2]", "K411",
     "both need 4 dimensions for images", "x.unsqueeze(0)", "画像なら 4 次元"),
    (lambda: F.layer_norm(X, 3), TypeError,
     "layer_norm(): argument 'normalized_shape' (position 2) must be tuple of ints, not int", "K402",
     "normalized_shape is of type int", "(10,), or x.shape[-1:]", "整数のタプル"),
    (lambda: F.batch_norm(X, V.double(), V.double()), RuntimeError,
     "mixed dtype (CPU): expect parameter to have scalar type of Float", "K418", "torch.float32, a weight", "layer.double()",
     "一方を変換してください"),
    (lambda: F.group_norm(X, 2), RuntimeError,
     "Expected number of channels in input to be divisible by num_groups, but got input of shape [2, 3] and num_groups=2",
     "K415", "input.size(1) is 3, which cannot be divided by 2", "divides 3", "チャネル数 3 を割り切る数"),
    (lambda: torch.einsum("ij,jk->ik", X), RuntimeError,
     "einsum(): fewer operands were provided than specified in the equation", "K451", "2 terms", "one term for each operand",
     "オペランドは 1 個"),
    (lambda: torch.einsum("i,i->i", V, torch.ones(2)), RuntimeError,
     "einsum(): subscript i has size 2 for operand 1 which does not broadcast with previously seen size 3", "K414",
     "i has size 2 in operand 1 and size 3 in one before it", "the order of the letters", "文字の順序"),
    (lambda: torch.einsum("i->......", V), RuntimeError,
     "einsum(): found '.' for output but an ellipsis (...) was already found", "K453", "one term has ... twice", "once",
     "... が 2 回現れます"),
    (lambda: F.embedding_bag(torch.tensor([[0, 5]]), X), RuntimeError,
     "Index 1 of input takes value 5 which is not in the valid range [0, 2)", "K419", "input[1] is 5, and there are 2",
     "0 to 1", "0 から 1 まで"),
    (lambda: F.one_hot(torch.tensor([-1])), RuntimeError, "Class values must be non-negative.", "K420", "input holds -1",
     "input.min()", "-1 が含まれています"),
    (lambda: torch.ones(0).max(), RuntimeError, "max(): Expected reduction dim to be specified for input.numel() == 0.",
     "K416", "input has no elements", "why it is empty", "要素がありません"),
    (lambda: X.gather(0, [0]), TypeError, "gather(): argument 'index' (position 2) must be Tensor, not list", "K402",
     "index is of type list", "torch.tensor([0, 2])", "位置のテンソル"),
    (lambda: X.index_select(0, torch.tensor([7])), IndexError, "index out of range in self", "K419",
     "index is 7, and there are 2", "0 to 1", "index は 7"),
    (lambda: V.masked_scatter(V, V), RuntimeError, "masked_scatter_ only supports boolean masks, but got mask with dtype Float",
     "K417", "mask has dtype torch.float32", "x > 0", "True と False"),
    (_assign, RuntimeError, "shape mismatch: value tensor of shape [3, 2] cannot be broadcast to indexing result of shape "
     "[2, 2]", "K413", "value has shape (3, 2) and x[index] has shape (2, 2)", "a value of shape (2, 2)", "(2, 2) の値"),
    (lambda: torch.cat(V), TypeError, "cat(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor", "K402",
     "tensors is of type Tensor", "torch.cat([a, b])", "リストに入れてください"),
    (lambda: torch.linalg.inv(torch.ones(3, 2, 2)), RuntimeError,
     "linalg.inv: (Batch element 0): The diagonal element 2 is zero, the inversion could not be completed because the input "
     "matrix is singular.", "K423", "the matrix is singular", "torch.linalg.pinv", "行列が特異です"),
    (lambda: torch.linalg.cholesky(-torch.eye(2)), RuntimeError,
     "linalg.cholesky: The factorization could not be completed because the input is not positive-definite", "K423",
     "all its eigenvalues are positive", "eigvalsh(A).min()", "固有値がすべて正"),
    (lambda: torch.linalg.cholesky(NANS), RuntimeError, "linalg.cholesky: The factorization could not be completed because the "
     "input is not positive-definite (the leading minor of order 1 is not positive-definite).", "K423",
     "all its eigenvalues are positive", "eigvalsh(A).min()", "固有値がすべて正"),
    (lambda: torch.linalg.svdvals(torch.stack([torch.eye(3), NANS])), torch.linalg.LinAlgError, "linalg.svd: (Batch element 1): "
     "The algorithm failed to converge because the input matrix contained non-finite values.", "K424",
     "NaN or infinite", "A.isfinite().all()", "NaN や無限大"),
    (lambda: torch.linalg.pinv(NANS), torch.linalg.LinAlgError, "linalg.svd: The algorithm failed to converge because the input "
     "matrix contained non-finite values.", "K424", "NaN or infinite", "A.isfinite().all()", "NaN や無限大"),
    (_qr_backward, RuntimeError, "The derivative of linalg.qr depends on Q, which is not computed when mode='r'.", "K432",
     "the gradient needs Q", "torch.linalg.qr(A)", "Q が必要です"),
    (lambda: F.nll_loss(SCORES, torch.tensor([0, 1]), weight=torch.ones(2)), RuntimeError,
     "weight tensor should be defined either for all 3 classes or no classes but got weight tensor of shape: [2]", "K412",
     "weight has shape (2,)", "each of the 3 classes", "3 個のクラス"),
    (lambda: torch.cdist(X, torch.ones(2, 4)), RuntimeError,
     "X1 and X2 must have the same number of columns. X1: 3 X2: 4", "K413", "the last dimensions must be equal",
     "x1 and x2", "最後の次元"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[m[2][:40] for m in MISTAKES])
def test_what_is_said(mistake, monkeypatch):
    call, kind, first, code, cause, fix, japanese = mistake
    said = {}
    for language in ("en", "ja"):
        monkeypatch.setenv("KOBAI_LANG", language)
        with pytest.raises(kind) as e:
            call()
        said[language] = str(e.value).split("\n")
        assert said[language][0].startswith(first)
        assert e.value.code == code and said[language][-1] == f"  [{code}]  kobai help {code}"
    causes = [line for line in said["en"] if line.startswith("  cause: ")]
    fixes = [line for line in said["en"] if line.startswith("  fix: ")]
    assert cause in causes[0] and fix in fixes[0]
    assert any(japanese in line for line in said["ja"])
    for label in ("  原因: ", "  対処: "):
        (line,) = [line for line in said["ja"] if line.startswith(label)]
        assert line.isascii() is False and any("ぁ" <= c <= "ん" for c in line[len(label):]), line


def test_sizes_come_from_the_first_elements():
    """PyTorch looks along the first elements for the shape; what lies deeper elsewhere is an error of its own."""
    assert torch.tensor([[], [1]]).shape == (2, 0)  # as PyTorch 2.13
    assert torch.tensor([1, torch.tensor([2])]).tolist() == [1, 2]
    with pytest.raises(TypeError, match="must be real number, not list"):
        torch.tensor([[1.0, 2], [3, [4]]])


def test_names_that_scatter_reduce_takes_besides():
    x, index = torch.ones(2, 3), torch.zeros(1, 3, dtype=torch.int64)
    for short, name in (("max", "amax"), ("min", "amin")):  # undocumented, and taken by PyTorch 2.13
        src = torch.tensor([[0.0, 2.0, 4.0]])
        assert torch.equal(x.scatter_reduce(0, index, src, short), x.scatter_reduce(0, index, src, name))


def test_masked_median_of_whole_numbers():
    """PyTorch 2.13: an int64 in, an int64 out, and an error only for a row without any element."""
    x, mask = torch.tensor([[1, 5, 7], [4, 2, 3]]), torch.tensor([[True, False, True], [True, True, True]])
    y = torch.masked.median(x, 1, mask=mask)
    assert y.tolist() == [1, 3] and y.dtype == torch.int64
    with pytest.raises(ValueError, match="masked median expects no fully masked out rows if dtype is not floating point"):
        torch.masked.median(x, 1, mask=torch.zeros(2, 3, dtype=torch.bool))


def test_two_numbers_have_no_isin():
    with pytest.raises(TypeError, match="isin\\(\\) received an invalid combination of arguments - got \\(int, int\\)"):
        torch.isin(1, 2)


def _long(*shape):
    return torch.zeros(*shape, dtype=torch.int64)


SAMPLE, KERNEL = torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 2)


@pytest.mark.parametrize(("call", "kind", "first"), [  # what NumPy answered before, what went through, or what misled
    (lambda: F.conv2d(SAMPLE, KERNEL, dilation=-1), RuntimeError, "dilation should be greater than zero"),
    (lambda: F.conv2d(SAMPLE, KERNEL, groups=0), RuntimeError, "non-positive groups is not supported"),
    (lambda: F.conv2d(torch.ones(1, 3, 4, 4), torch.ones(3, 2, 2, 2), groups=2), RuntimeError,
     "Given groups=2, expected weight to be divisible by 2 at dimension 0, but got weight of size"),
    (lambda: F.conv2d(SAMPLE, KERNEL, torch.ones(2)), RuntimeError,
     "Given weight of size [1, 1, 2, 2], expected bias to be 1-dimensional with 1 elements, but got bias of size [2]"),
    (lambda: F.conv2d(SAMPLE, KERNEL, torch.ones(1).double()), RuntimeError,
     "Input type (float) and bias type (double) should be the same"),
    (lambda: F.conv2d(SAMPLE, KERNEL.double()), RuntimeError, "expected scalar type Float but found Double"),
    (lambda: F.conv_transpose2d(SAMPLE, KERNEL, padding=-1), RuntimeError, "negative padding is not supported"),
    (lambda: F.multi_margin_loss(torch.ones(5, 4), _long(4)), RuntimeError,
     "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size)."),
    (lambda: F.multi_margin_loss(torch.ones(5, 4), torch.ones(5)), RuntimeError, "expected scalar type Long but found Float"),
    (lambda: F.multi_margin_loss(torch.ones(5, 4), _long(5) + 4), RuntimeError, "target out of range"),
    (lambda: F.multilabel_margin_loss(torch.ones(5, 4), _long(4)), RuntimeError,
     "inconsistent target size: [4] for input of size: [5, 4]"),
    (lambda: F.multilabel_margin_loss(torch.ones(5, 4), _long(5, 4) + 7), RuntimeError,
     "argument #2 'target' is out of range"),
    (lambda: F.triplet_margin_loss(V, X, X), RuntimeError,
     "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor 1D, "),
    (lambda: F.triplet_margin_with_distance_loss(X, X, X, margin=-1.0), ValueError, "margin must be greater than 0, got -1.0"),
    (lambda: F.soft_margin_loss(X, torch.ones(4)), RuntimeError,
     "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1"),
    (lambda: F.linear_cross_entropy(X, torch.ones(2, 3), torch.ones(2, 2), ignore_index=0), RuntimeError,
     "ignore_index cannot be specified when target contains probabilities"),
    (lambda: F.linear_cross_entropy(X, torch.ones(2, 3), _long(2), linear_bias=V), RuntimeError,
     "expected linear_bias shape (2,), got (3,)"),
    (lambda: F.adaptive_max_pool2d(SAMPLE, (-1, 2)), RuntimeError,
     "Trying to create tensor with negative dimension -1: [1, 1, -1, 2]"),
    (lambda: F.rrelu(V, 0.5, 0.1), RuntimeError, "Lower bound should be less than or equal to the upper bound"),
    (lambda: torch.fft.fftn(torch.tensor(1.0), dim=(0,)), IndexError, "Dimension specified as 0 but tensor has no dimensions"),
    (lambda: torch.linspace(0, 3, 1.0), TypeError,
     "linspace() received an invalid combination of arguments - got (int, int, float)"),
    (lambda: torch.vstack([]), RuntimeError, "vstack expects a non-empty TensorList"),
    (lambda: torch.arange(0, 64, 0.5, dtype=torch.int64), ValueError, "step must be nonzero"),
    (lambda: _long(2).masked_fill(torch.ones(2).bool(), torch.tensor(1j)), RuntimeError,
     "value cannot be converted to type int64_t without overflow"),
    (lambda: X.scatter_add(0, _long(1, 3) + 7, torch.ones(1, 3, 2)), RuntimeError,
     "Index tensor must have the same number of dimensions as src tensor"),
])
def test_what_pytorch_refuses(call, kind, first):
    with pytest.raises(kind) as e:
        call()
    assert str(e.value).startswith(first) and e.value.code


def test_soft_margin_loss_of_two_shapes():
    """As (1 + exp(-t x)).log().mean() over the broadcast shape, with gradients of the inputs' shapes."""
    x, t = torch.tensor([[1.0, -2.0, 0.5]] * 2, requires_grad=True), torch.tensor([1.0, -1.0, 1.0])
    loss = F.soft_margin_loss(x, t)
    assert torch.allclose(loss, (1 + (-t * x).exp()).log().mean())
    loss.backward()
    assert x.grad.shape == (2, 3)
