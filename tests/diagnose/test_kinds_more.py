"""More common mistakes: a state that is no tuple, predictions instead of scores, wrong numbers of numbers.

First lines and types are PyTorch 2.13's, where PyTorch has a text of its own.
"""
import pytest

import kobai as torch
from kobai import nn, optim

X = torch.ones(2, 3)


def parameter():
    return nn.Parameter(torch.ones(2))


MISTAKES = [
    (lambda: nn.LSTM(3, 4)(torch.ones(5, 2, 3), torch.zeros(1, 2, 4)), IndexError,
     "index 1 is out of bounds for dimension 0 with size 1", "K402",
     "the state of an LSTM is a pair (h, c), and a tensor was given", "lstm(x, (h0, c0))", "LSTM の状態は組 (h, c)"),
    (lambda: nn.CrossEntropyLoss()(torch.ones(4, 3).argmax(1), torch.tensor([0, 1, 2, 1])), RuntimeError,
     "Expected floating point type for target with class probabilities, got Long", "K417",
     "input has dtype torch.int64", "not their argmax", "argmax"),
    (lambda: nn.CrossEntropyLoss()(torch.ones(4, 3).long(), torch.tensor([0, 1, 2, 1])), NotImplementedError,
     "\"log_softmax_lastdim_kernel_impl\" not implemented for 'Long'", "K417",
     "input has dtype torch.int64", "not their argmax", "argmax"),
    (lambda: optim.Adam([parameter()], betas=(0.9,)), IndexError, "tuple index out of range", "K407",
     "betas has 1 entries; needed: 2", "betas=(0.9, 0.999)", "betas の要素は 1 個"),
    (lambda: optim.Adam([parameter()], betas=0.9), TypeError, "'float' object is not subscriptable", "K402",
     "betas is of type float", "betas=(0.9, 0.999)", "betas の型は float"),
    (lambda: optim.SGD(nn.Linear(2, 2), lr=0.1), TypeError, "'Linear' object is not iterable", "K256",
     "the model itself", "model.parameters()", "モデルそのもの"),
    (lambda: nn.utils.rnn.pad_packed_sequence(torch.ones(3)), AttributeError,
     "'Tensor' object has no attribute 'batch_sizes'", "K402", "sequence is of type Tensor",
     "pack_padded_sequence", "PackedSequence"),
    (lambda: torch.randperm(2.5), TypeError, "randperm(): argument 'n' (position 1) must be int, not float", "K402",
     "n is of type float", "int(", "整数"),
    (lambda: torch.ones(2).copy_([1, 2]), TypeError, "copy_(): argument 'other' (position 1) must be Tensor, not list",
     "K176", "take tensors", "torch.tensor(data)", "テンソルを受け取ります"),
    (lambda: torch.linalg.svd(torch.ones(3)), RuntimeError,
     "linalg.svd: The input tensor A must have at least 2 dimensions.", "K411", "A has shape (3,), 1 dimensions",
     "x.unsqueeze(0)", "A の形は (3,)"),
    (lambda: torch.linalg.svdvals(torch.ones(3)), RuntimeError,
     "linalg.svd: The input tensor A must have at least 2 dimensions.", "K411", "A has shape (3,), 1 dimensions",
     "x.unsqueeze(0)", "A の形は (3,)"),
    (lambda: nn.Bilinear(2, 3, 4)(torch.ones(5, 2), torch.ones(5, 2)), RuntimeError,
     "bilinear(): input2 size does not match weight size: got 2 but expected 3", "K414",
     "dimension -1 of input2 has size 2; it must be 3", "right order", "input2 の次元 -1"),
    (lambda: nn.Bilinear(2, 3, 4)(torch.ones(5, 1), torch.ones(5, 3)), RuntimeError,
     "bilinear(): input1 size does not match weight size: got 1 but expected 2", "K414",
     "dimension -1 of input1 has size 1; it must be 2", "right order", "input1 の次元 -1"),
    (lambda: torch.lerp(torch.ones(3), torch.ones(3), torch.ones(2)), RuntimeError,
     "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0", "K131",
     "shapes (3,) and (2,) do not broadcast", ".unsqueeze(dim)", "形 (3,) と (2,)"),
    (lambda: torch.ones(3).max(0, 1), TypeError, "max(): argument 'keepdim' (position 2) must be bool, not int", "K402",
     "keepdim is of type int", "keepdim=True", "True か False"),
    (lambda: nn.CrossEntropyLoss()(torch.ones(4, 3), [0, 1, 2, 1]), TypeError,
     "cross_entropy_loss(): argument 'target' (position 2) must be Tensor, not list", "K176", "take tensors",
     "torch.tensor(data)", "テンソルを受け取ります"),
    (lambda: nn.CrossEntropyLoss()(torch.ones(4, 3), torch.zeros(4, 3).long()), RuntimeError,
     "Expected floating point type for target with class probabilities, got Long", "K417",
     "it is read as probabilities", "target.argmax(1)", "確率とみなされます"),
    (lambda: nn.LSTMCell(3, 4)(X, torch.ones(2, 4)), TypeError,
     "lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not Tensor", "K402", "is a pair (h, c)",
     "h, c = cell(x, (h, c))", "LSTM の状態は組 (h, c)"),
    (lambda: nn.BCEWithLogitsLoss(pos_weight=torch.ones(3))(torch.ones(4, 2), torch.ones(4, 2)), RuntimeError,
     "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 1", "K131", "do not broadcast", ".unsqueeze(dim)", "ブロードキャストできません"),
    (lambda: setattr(torch.ones(3), "data", "a"), TypeError, "Variable data has to be a tensor, but got str", "K402",
     "data is of type str", "a tensor", "テンソルでなければ"),
    (lambda: setattr(nn.Linear(2, 2).weight, "data", torch.ones(2, 2).long()), RuntimeError,
     "data set to a tensor that requires gradients must be floating point or complex dtype", "K417",
     "data has dtype torch.int64", "data.float()", "浮動小数点数か複素数"),
    (lambda: torch.ones(2, 3).mm(3), TypeError, "mm(): argument 'mat2' (position 2) must be Tensor, not int", "K176",
     "take tensors", "torch.tensor(data)", "テンソルを受け取ります"),
    (lambda: torch.equal(X, 3), TypeError, "equal(): argument 'other' (position 2) must be Tensor, not int", "K176",
     "take tensors", "torch.tensor(data)", "テンソルを受け取ります"),
    (lambda: torch.nn.functional.conv2d(torch.ones(1, 3, 8, 8), torch.ones(4, 3, 3, 3), stride=(1, 1, 1)), RuntimeError,
     "expected stride to be a single integer value or a list of 2 values to match the convolution dimensions, but got "
     "stride=[1, 1, 1]", "K407", "stride has 3 entries; needed: 2", "2 entries", "stride の要素は 3 個"),
    (lambda: -torch.ones(3, dtype=torch.bool), RuntimeError,
     "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
     "`logical_not()` operator instead.", "K417", "dtype torch.bool", "~mask", "~mask"),
]


@pytest.mark.parametrize("call, kind, first, code, cause, fix, japanese", MISTAKES, ids=[m[2][:40] for m in MISTAKES])
def test_a_mistake_is_explained_in_both_languages(call, kind, first, code, cause, fix, japanese, monkeypatch):
    said = {}
    for language in ("en", "ja"):
        monkeypatch.setenv("KOBAI_LANG", language)
        with pytest.raises(kind) as e:
            call()
        assert type(e.value) is kind and str(e.value).splitlines()[0] == first
        assert e.value.code == code
        said[language] = str(e.value)
    before, _, after = said["en"].partition("\n  fix: ")
    assert cause in before and fix in after and "?" not in before.partition("\n  cause: ")[2].splitlines()[0]
    assert japanese in said["ja"] and "\n  対処: " in said["ja"] and "このテンソル " not in said["ja"]


def test_a_tensor_without_a_name_stands_in_a_japanese_sentence(monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "ja")
    with pytest.raises(RuntimeError, match="このテンソルは記録の対象です"):
        torch.ones(3, requires_grad=True).numpy()


def test_carets_stand_below_the_expression_in_any_script(monkeypatch):
    """Python counts bytes, a terminal columns: a Japanese character has three of the one and two of the other."""
    monkeypatch.setenv("KOBAI_LANG", "en")
    甲, 乙 = torch.ones(2, 3), torch.ones(2, 4)
    with pytest.raises(RuntimeError, match="cannot be multiplied") as e:
        結果 = 甲 * 2 + (甲 @ 乙) * 甲  # noqa: F841
    lines = str(e.value).splitlines()
    at = next(i for i, line in enumerate(lines) if "甲 @ 乙" in line)
    assert lines[at].startswith("        結果 = 甲 * 2 + (甲 @ 乙)")
    assert lines[at + 1] == " " * (8 + len("xxxx = xx * 2 + (")) + "^" * len("xx @ xx")
