"""Common mistakes with ops (files o to z), sparse tensors and windows of signals: what kobai says, in both languages.

First lines and types are PyTorch 2.13's.
"""
import pytest

import kobai as torch

F = torch.nn.functional

MISTAKES = [  # (call, type, first line, code, in the cause, in the fix, in the Japanese text)
    (lambda: torch.ones(3, dtype=torch.complex64).sort(), RuntimeError,
     " Sort does not support complex dtypes on CPU", "K417", "numbers that are not complex", "x.abs()", "大小がありません"),
    (lambda: torch.ones(3).kthvalue(7), RuntimeError, "kthvalue(): selected number k out of range for dimension 0",
     "K401", "dimension 0 has 3 elements", "between 1 and 3 as k", "1 以上 3 以下の整数"),
    (lambda: torch.zeros(3, 0).median(1), IndexError, "median(): Expected reduction dim 1 to have non-zero size.",
     "K416", "input has shape (3, 0)", "look why it is empty", "選べる要素がありません"),
    (lambda: F.pad(torch.ones(2, 3, 4), (1, 1, 1)), RuntimeError, "Padding length must be divisible by 2", "K407",
     "pad has 3 numbers", "write 0 where nothing", "pad の数は 3 個"),
    (lambda: F.pad(torch.ones(2, 3, 4), (4, 1), "reflect"), RuntimeError,
     "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (4, 1) at "
     "dimension 2 of input [2, 3, 4]", "K401", "at most 3 elements", "mode='replicate'", "鏡像は最大 3 個"),
    (lambda: F.pad(torch.ones(2, 3, 4), (-3, -3), "replicate"), RuntimeError,
     "input (W: 4) is too small. Calculated output W: -2", "K401", "more than the 4 elements", "cut off no more",
     "要素 4 個より多く"),
    (lambda: F.pad(torch.ones(2, 3, 4), (1, 1), "mirror"), NotImplementedError, "Unrecognised padding mode mirror",
     "K403", "none of 'constant'", "'circular'", "選べるのは"),
    (lambda: torch.complex(torch.ones(3), torch.ones(3, dtype=torch.float64)), RuntimeError,
     "Expected object of scalar type Float but got scalar type Double for second argument", "K418",
     "imag has dtype torch.float64", "real.to(torch.float64)", "imag の型は torch.float64"),
    (lambda: torch.linalg.cross(torch.ones(3), torch.ones(3, dtype=torch.float64)), RuntimeError,
     "expected scalar type Float but found Double", "K418", "here both must be the same", "input.to(",
     "ここでは同じ"),
    (lambda: torch.tensordot(torch.ones(2, 3), torch.ones(3, 4), dims=([0, 1], [0])), RuntimeError,
     "both dimension lists should have same length", "K451", "dims[0] has 2 entries", "pair by pair", "一組ずつ"),
    (lambda: torch.ones(3, dtype=torch.int64).quantile(0.5), RuntimeError,
     "quantile() input tensor must be either float or double dtype", "K417", "quantile() takes numbers of type",
     "x.float()", "quantile() が受け取るのは"),
    (lambda: torch.ones(3).quantile(torch.tensor([0.5, 1.5])), RuntimeError,
     "quantile() q values must be in the range [0, 1]", "K420", "q holds 1.5", "print q.min()", "q に 1.5 が"),
    (lambda: torch.randint(3, 4), TypeError, "randint(): argument 'size' (position 2) must be tuple of ints, not int",
     "K402", "size is of type int", "write (4,)", "(4,) と書いて"),
    (lambda: torch.normal(torch.ones(3), -torch.ones(3)), RuntimeError, "normal expects all elements of std >= 0.0",
     "K420", "std holds -1.0", "F.softplus", "0 以上の数"),
    (lambda: torch.ones(2, 3).flip(0, 0), RuntimeError, "dim 0 appears multiple times in the list of dims", "K401",
     "dimension 0 is named more than once", "name each dimension once", "二回以上"),
    (lambda: torch.ones(2, 2).repeat(2, -1), RuntimeError,
     "Trying to create tensor with negative dimension -2: [4, -2]", "K401", "repeats is (2, -1)",
     "at least 0 as repeats", "repeats は (2, -1)"),
    (lambda: torch.repeat_interleave(torch.ones(3), torch.tensor([1, 2]), 0), RuntimeError,
     "repeats must have the same size as input along dim, but got repeats.size(0) = 2 and input.size(0) = 3", "K407",
     "repeats has 2 numbers", "one number for each of the 3", "繰り返す要素が 3 個"),
    (lambda: torch.ones(2, 3).sum(0, 1), TypeError, "sum(): argument 'keepdim' (position 2) must be bool, not int",
     "K402", "keepdim is of type int", "sum((0, 1))", "大きさ 1 で残す"),
    (lambda: torch.ones(2, 3).softmax(1.5), TypeError,
     "softmax(): argument 'dim' (position 1) must be int, not float", "K402", "works along one dimension", "dim=-1",
     "一つの次元に沿って"),
    (lambda: torch.ormqr(torch.ones(3, 2), torch.ones(3), torch.ones(3, 3)), RuntimeError,
     "torch.ormqr: tau.shape[-1] must be equal to min(other.shape[-2], input.shape[-1])", "K413",
     "one number for each column", "torch.geqrf(x)", "列ごとに一つの数"),
    (lambda: F.adaptive_avg_pool2d(torch.ones(3), 2), RuntimeError,
     "adaptive_avg_pool2d(): Expected 3D or 4D tensor, but got [3]", "K411", "3 or 4 dimensions", "x.unsqueeze(0)",
     "3 次元または 4 次元"),
    (lambda: torch.searchsorted(torch.ones(3), torch.ones(2), side="left", right=True), RuntimeError,
     "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True", "K405",
     "rules out the other", "leave out one", "どちらかを外して"),
    (lambda: torch.segment_reduce(torch.ones(3), "sum", lengths=torch.tensor([2])), RuntimeError,
     "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe.",
     "K401", "do not add up to 3", "unsafe=True", "大きさ 3 になっていません"),
    (lambda: torch.ones(3).view(torch.float64), RuntimeError,
     "self.size(-1) must be divisible by 2 to view Float as Double (different element sizes), but got 3", "K415",
     "3 elements of 4 bytes", "x.to(dtype)", "4 バイトの要素が 3 個"),
    (lambda: torch.ones(2, 2, 2).t(), RuntimeError, "t() expects a tensor with <= 2 dimensions, but self is 3D",
     "K411", "3 dimensions; needed: at most 2", ".mT", "最大 2 次元"),
    (lambda: torch.ones(2, 2).movedim((0, 0), (0, 1)), RuntimeError, "movedim: repeated dim in `source` ([0, 0])",
     "K401", "source names dimension 0", "once", "source が次元 0"),
    (lambda: torch.ones(2).mT, RuntimeError,
     "tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor.", "K411", "at least 2",
     "x.unsqueeze(-1)", "転置はありません"),
    (lambda: torch.ones(2, 2).expand(2), RuntimeError,
     "expand(torch.FloatTensor{[2, 2]}, size=[2]): the number of sizes provided (1) must be greater or equal to the "
     "number of dimensions in the tensor (2)", "K407", "size has 1 numbers", "-1 to keep it", "次元を減らしません"),
    (lambda: torch.broadcast_shapes((2, 3), (2,)), RuntimeError,
     "Attempting to broadcast a dimension of length 2 at -1! Mismatching argument at index 1 had (2,); but expected "
     "shape should be broadcastable to [2, 3]", "K413", "those before it make (2, 3)", "from the last dimension on",
     "どちらも 1 ではありません"),
    (lambda: torch.igamma(torch.ones(3, requires_grad=True), torch.ones(3)).sum().backward(), NotImplementedError,
     "the derivative for 'igamma: input' is not implemented.", "K447", "has a derivative by x only", "a.detach()",
     "x についてだけ"),
    (lambda: torch.tensor(1.).unbind(), IndexError, "Dimension specified as 0 but tensor has no dimensions", "K411",
     "0 dimensions", "x.item()", "次元のないテンソル"),
    (lambda: torch.ones(3).narrow(0, 2, 2), RuntimeError, "start (2) + length (2) exceeds dimension size (3).",
     "K401", "more than dimension 0 has", "at most 1 as length", "大きさ 3 を超えます"),
    (lambda: torch.hsplit(torch.ones(3), 2), RuntimeError,
     "torch.hsplit attempted to split along dimension 0, but the size of the dimension 3 is not divisible by the "
     "split_size 2!", "K415", "dimension 0 has size 3", "tensor_split()", "2 で割り切れません"),
    (lambda: torch.ones(3, dtype=torch.int64).std(), RuntimeError,
     "std and var only support floating point and complex dtypes", "K417", "std() takes floating point", "x.float()",
     "浮動小数点数か複素数"),
    (lambda: torch.cov(torch.ones(2), fweights=torch.ones(2)), RuntimeError,
     "cov(): expected fweights to have integral dtype but got fweights with Float dtype", "K417",
     "cov() takes whole numbers", "aweights", "各観測の回数"),
    (lambda: torch.stft(torch.ones(16), 8), RuntimeError,
     "stft requires the return_complex parameter be given for real inputs, and will further require that "
     "return_complex=True in a future PyTorch release.", "K404", "without return_complex", "return_complex=True",
     "return_complex を渡さずに"),
    (lambda: torch.stft(torch.ones(16), 8, window=torch.ones(7), return_complex=True), RuntimeError,
     "stft(torch.FloatTensor[24], n_fft=8, hop_length=2, win_length=8, window=torch.FloatTensor{[7]}, normalized=0, "
     "onesided=None, return_complex=1, align_to_window=None) : expected a 1D window tensor of size equal to "
     "win_length=8, but got window with size [7]", "K412", "it must have shape (8,)", "hann_window(8)",
     "window の形は (7,)"),
    (lambda: torch.ones(3, requires_grad=True).resize_(4), RuntimeError, "cannot resize variables that require grad",
     "K447", "its gradient has the shape", "x.detach().resize_", "今の形"),
    (lambda: torch.ones(3).as_strided((2, 2), (2, 1)), RuntimeError,
     "setStorage: sizes [2, 2], strides [2, 1], storage offset 0, and itemsize 4 requiring a storage size of 16 are "
     "out of bounds for storage of size 12", "K422", "number 3 of the memory", "stride (2, 1)", "メモリの 3 番"),
    (lambda: torch.ones(3).unfold(0, 4, 1), RuntimeError, "maximum size for tensor at dimension 0 is 3 but size is 4",
     "K401", "no window is that large", "at most 3 as size", "その大きさの窓"),
    (lambda: torch.ones(3)[torch.ones(2)], IndexError,
     "tensors used as indices must be long, int, byte or bool tensors", "K417", "x[index] takes whole numbers",
     "index.long()", "整数か、True と False"),
    (lambda: torch.tensor(1.)[0], IndexError,
     "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
     "0-dim tensor to a number", "K411", "x has shape ()", "x.item()", "x.item()"),
    (lambda: torch.ones(3)[::-1], ValueError, "step must be greater than zero", "K401", "is -1", "torch.flip",
     "負の間隔"),
    (lambda: torch.ones(3).__setitem__(0, "a"), TypeError, "can't assign a str to a torch.FloatTensor", "K402",
     "of type str", "torch.tensor(value)", "入れられるのは数かテンソル"),
    (lambda: torch.FloatTensor(torch.ones(3, dtype=torch.int64)), TypeError,
     "expected TensorOptions(dtype=float, device=cpu, layout=Strided, requires_grad=false (default), "
     "pinned_memory=false (default), memory_format=(nullopt)) (got TensorOptions(dtype=long int, device=cpu, "
     "layout=Strided, requires_grad=false (default), pinned_memory=false (default), memory_format=(nullopt)))",
     "K418", "does not convert tensors", "x.to(torch.float32)", "変換しません"),
    (lambda: torch.iinfo(torch.float32), TypeError,
     "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'", "K417",
     "iinfo() takes dtypes of whole numbers", "torch.finfo(torch.float32)", "整数の型"),
    (lambda: F.max_unpool2d(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2), 2), RuntimeError,
     "elements in indices should be type int64 but got: Float", "K417", "indices has dtype torch.float32",
     "return_indices=True", "int64 の整数"),
    (lambda: F.max_pool2d(torch.ones(1, 1, 4, 4), 2.5), TypeError,
     "max_pool2d(): argument 'kernel_size' (position 2) must be tuple of ints, not float", "K402",
     "type float was found", "a // b", "型が float の値"),
    (lambda: F.max_pool2d(torch.ones(1, 1, 4, 4), 2, padding=2), RuntimeError,
     "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1", "K401",
     "more than half", "at most 1 as padding", "半分を超えて"),
    (lambda: F.max_pool2d(torch.ones(4, 4), 2), RuntimeError,
     "non-empty 3D or 4D (batch mode) tensor expected for input", "K411", "(N, C, ...) or (C, ...)",
     "x.unsqueeze(0)", "3 次元または 4 次元"),
    (lambda: torch.hann_window(-1), RuntimeError,
     "hann_window requires non-negative window_length, got window_length=-1", "K401", "window_length is -1",
     "at least 0", "0 以上の整数"),
    (lambda: torch.sparse_coo_tensor(torch.tensor([0, 1]), torch.ones(2)), RuntimeError,
     "indices must be sparse_dim x nnz, but got: [2]", "K411", "needed: 2", "a column for each value", "一列"),
    (lambda: torch.sparse_coo_tensor(torch.tensor([[0, 0]]), torch.ones(2)).indices(), RuntimeError,
     "Cannot get indices on an uncoalesced tensor, please call .coalesce() first", "K441", "may occur several times",
     "x = x.coalesce()", "足し合わされていません"),
    (lambda: torch.ones(2, 2).indices(), RuntimeError,
     "indices expected sparse coordinate tensor layout but got Strided", "K421", "stored as torch.strided",
     "x.to_sparse()", "格納形式は torch.strided"),
    (lambda: torch.ones(2, 2).to_sparse() + 1, RuntimeError,
     "add(sparse, dense) is not supported. Use add(dense, sparse) instead.", "K447", "leaves no zeros",
     "x.to_dense()", "0 が残らず"),
    (lambda: torch.cat([torch.ones(2, 2).to_sparse(), torch.ones(2, 2)]), RuntimeError,
     "Concatenating sparse tensors, but a dense tensor was found at position 1.", "K421", "tensors[1] is stored as",
     "tensors[1].to_sparse()", "疎なテンソル同士"),
    (lambda: torch.signal.windows.gaussian(3, std=0), ValueError,
     "Standard deviation must be positive, got: 0 instead.", "K401", "std is 0", "a positive number", "正の数"),
    (lambda: torch.signal.windows.exponential(3, center=1), ValueError, "Center must be None for symmetric windows",
     "K405", "center=1 was given", "sym=False", "中心は真ん中"),
]


def said(call, kind):
    """The exception, and its lines by their label (here the user's line may follow)."""
    with pytest.raises(kind) as e:
        call()
    lines = str(e.value).split("\n")[1:]
    parts = dict(line.strip().split(": ", 1) for line in lines if line.startswith("  ") and ": " in line)
    return e.value, parts


@pytest.mark.parametrize("call, kind, first, code, cause, fix, japanese", MISTAKES, ids=[m[2][:40] for m in MISTAKES])
def test_a_mistake_is_explained_in_both_languages(call, kind, first, code, cause, fix, japanese, monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "en")
    e, parts = said(call, kind)
    assert type(e) is kind
    assert str(e).split("\n")[0] == first
    assert e.code == code
    assert cause in parts["cause"]
    assert fix in parts["fix"]
    assert "here" in parts
    assert str(e).endswith(f"[{code}]  kobai help {code}")
    monkeypatch.setenv("KOBAI_LANG", "ja")
    e, parts = said(call, kind)
    assert str(e).split("\n")[0] == first
    assert japanese in parts["原因"] + parts["対処"]


ONCE_ACCEPTED = [  # (call, type, the first line in PyTorch 2.13): what was computed in some way before
    (lambda: F.max_pool2d(torch.ones(1, 1, 4, 4), (2, 2.5)), TypeError,
     "max_pool2d(): argument 'kernel_size' failed to unpack the object at pos 2 with error \"type must be tuple of ints,"
     "but got float\""),
    (lambda: F.avg_pool1d(torch.ones(1, 1, 4), (2.5,)), TypeError,
     "avg_pool1d(): argument 'kernel_size' (position 2) must be tuple of ints, but found element of type float at pos 0"),
    (lambda: F.fold(torch.ones(1, 4, 4), (3, 3.5), 2), TypeError,
     "col2im(): argument 'output_size' failed to unpack the object at pos 2 with error \"type must be tuple of ints,but "
     "got float\""),
    (lambda: F.max_pool2d(torch.ones(1, 1, 4, 4), True), TypeError,
     "max_pool2d(): argument 'kernel_size' (position 2) must be tuple of ints, not bool"),
    (lambda: torch.ormqr(torch.ones(3, 2), torch.ones(1), torch.ones(3, 3)), RuntimeError,
     "torch.ormqr: tau.shape[-1] must be equal to min(other.shape[-2], input.shape[-1])"),
    (lambda: torch.ones(3, 2).sparse_mask(torch.ones(2, 2).to_sparse()), RuntimeError,
     "sparse_mask(): operands have incompatible sizes; self has size [3, 2] but mask has size [2, 2]"),
    (lambda: torch.ones(2, 2) + torch.ones(3, 2).to_sparse(), RuntimeError,
     "add: expected 'self' and 'other' to have same size, but self has size [2, 2] while other has size [3, 2] (FYI: "
     "dense-sparse addition does not currently support broadcasting)"),
    (lambda: torch.split(torch.tensor(1.0), [1]), RuntimeError, "split expects at least a 1-dimensional tensor"),
    (lambda: torch.istft(torch.ones(5, dtype=torch.complex64), 8), IndexError,
     "Dimension out of range (expected to be in range of [-2, 1], but got -3)"),
    (lambda: torch.ones(3).as_strided((-1,), (1,)), RuntimeError,
     "Storage size calculation overflowed with sizes=[-1] and strides=[1]"),
    (lambda: torch.broadcast_shapes((2,), (-1,)), RuntimeError,
     "Attempting to broadcast a dimension of length -1 at -1! Mismatching argument at index 1 had (-1,); but expected "
     "shape should be broadcastable to [2]"),
]


@pytest.mark.parametrize("call, kind, first", ONCE_ACCEPTED, ids=[m[2][:40] for m in ONCE_ACCEPTED])
def test_what_pytorch_refuses_is_refused(call, kind, first):
    with pytest.raises(kind) as e:
        call()
    assert str(e.value).split("\n")[0] == first
    assert e.value.code


def test_windows_have_a_whole_number_of_samples():
    """PyTorch's TypeError is linspace's, about an argument that nobody wrote."""
    with pytest.raises(TypeError, match=r"hann\(\): argument 'M' \(position 1\) must be int, not float"):
        torch.signal.windows.hann(2.5)


def test_sparse_factors_of_different_densities_are_refused():
    """Their values have different shapes: multiplied by position they gave a wrong product (PyTorch: RuntimeError)."""
    with pytest.raises(RuntimeError, match="number of sparse dimensions"):
        torch.ones(2, 2).to_sparse(1) * torch.ones(2, 2).to_sparse(2)


def test_shapes_broadcast():
    """What broadcast_shapes gives where it does not complain, as PyTorch does."""
    cases = [((), ()), (((2, 1), 3, ()), (2, 3)), (((0,), (1,), (1, 1)), (1, 0)),
             (((1,), (4, 1, 3), (2, 1)), (4, 2, 3))]
    for shapes, want in cases:
        assert tuple(torch.broadcast_shapes(*shapes)) == want


def test_repeating_nothing_a_negative_number_of_times():
    """PyTorch looks at the sizes of the result only: 0 times -1 is 0."""
    assert torch.ones(0, 2).repeat(-1, 1).shape == (0, 2)
    with pytest.raises(RuntimeError, match=r"negative dimension -2: \[0, -2\]"):
        torch.ones(0, 2).repeat(-1, -1)


def test_reflections_of_the_right_side():
    """other @ Q with as many columns as Q has rows (PyTorch's sizes)."""
    a, tau = torch.geqrf(torch.tensor([[1.0, 2], [3, 4], [5, 7]]))
    other = torch.eye(3)
    left, right = torch.ormqr(a, tau, other), torch.ormqr(a, tau, other, left=False)
    assert torch.allclose(left, right, atol=1e-6)
    with pytest.raises(RuntimeError, match=r"other.shape\[-1\] must be equal to input.shape\[-2\]"):
        torch.ormqr(a, tau, torch.ones(3, 4), left=False)
