"""Common mistakes with layers, optimizers, data, mixed precision and distributions: what kobai says, in both languages.

First lines and types are PyTorch 2.13's (names of classes aside).
"""
import pytest

import kobai as torch
from kobai import distributions as D, nn, optim
from kobai.nn import init
from kobai.nn.utils import parametrize, prune, rnn
from kobai.optim import lr_scheduler as lrs
from kobai.utils import data
from kobai.utils.checkpoint import CheckpointError, checkpoint

X = torch.ones(2, 3)


def parameter():
    return nn.Parameter(torch.ones(2))


def sgd(**options):
    return optim.SGD([parameter()], lr=0.1, **options)


class Same(nn.Module):
    def forward(self, x):
        return x


class Nothing(data.Dataset):
    pass


def assign_child():
    net = nn.Sequential(nn.Tanh())
    net[0] = nn.ReLU()
    net.head = nn.Linear(2, 2)
    net.head = torch.nn.functional.relu


def hook_returns_too_much():
    layer = nn.Linear(2, 2)
    layer.register_full_backward_hook(lambda module, given, outgoing: (given[0], given[0]))
    layer(torch.ones(2, requires_grad=True)).sum().backward()


def clip_nan():
    w = parameter()
    w.grad = torch.tensor([float("nan"), 1.0])
    nn.utils.clip_grad_norm_([w], 1.0, error_if_nonfinite=True)


def assign_to_parametrized():
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Same())
    layer.weight = torch.ones(2, 2)


def sparse_adam():
    table = nn.Embedding(4, 2, sparse=True)
    optimizer = optim.Adam(table.parameters())
    table(torch.tensor([1])).sum().backward()
    optimizer.step()


def one_cycle_too_long():
    optimizer = sgd(momentum=0.9)
    schedule = lrs.OneCycleLR(optimizer, 0.1, total_steps=2)
    for _ in range(4):
        optimizer.step()
        schedule.step()


def update_without_step():
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale(parameter().sum())
    scaler.update()


def changing_function():
    calls = []

    def function(x):
        calls.append(1)
        return x.sin().cos() if len(calls) == 1 else x.sin()
    checkpoint(function, parameter(), use_reentrant=False).sum().backward()


def another_batch_size():
    loader = data.DataLoader([1, 2])
    loader.batch_size = 3


MISTAKES = [  # (call, type, first line, code, in the cause, in the fix, in the Japanese text)
    (lambda: nn.Sequential(nn.Tanh(), nn.ReLU())[3], IndexError, "index 3 is out of range", "K419",
     "Sequential has 2 entries, numbers 0 to 1; this one is 3", "[-1] for the last one", "Sequential の要素は 2 個"),
    (lambda: nn.Sequential(nn.Tanh()) + nn.ReLU(), ValueError,
     "add operator supports only objects of Sequential class, but <class 'kobai.nn.activation.ReLU'> is "
     "given.", "K402", "the right side is of type ReLU", "net.append(layer)", "右側の型は ReLU です"),
    (lambda: nn.ModuleList(nn.Tanh()), TypeError, "ModuleList.extend should be called with an iterable, but got Tanh",
     "K402", "modules is of type Tanh", "extend([first, second])", "モジュールのリストかタプル"),
    (lambda: nn.ParameterList([X])(X), RuntimeError, "ParameterList should not be called.", "K447",
     "ParameterList holds parameters and computes nothing", "x @ self.params[0]", "何も計算しません"),
    (lambda: assign_child(), TypeError,
     "cannot assign 'function' as child module 'head' (torch.nn.Module or None expected)", "K402",
     "head is a module of Sequential", "another name", "head は Sequential のモジュール"),
    (lambda: nn.Conv2d(3, 4, 3, padding="same", stride=2), ValueError,
     "padding='same' is not supported for strided convolutions", "K405", "the stride (2, 2) makes it smaller",
     "padding=kernel_size // 2", "stride (2, 2) は小さくします"),
    (lambda: nn.Conv2d(3, 4, 3, groups=0), ValueError, "groups must be a positive integer", "K401",
     "groups is 0; it must be a positive whole number", "pass a positive whole number as groups",
     "groups は 0 ですが、正の整数"),
    (lambda: nn.ConvTranspose2d(3, 4, 3)(torch.ones(1, 3, 4, 4), output_size=[9, 9]), ValueError,
     "requested an output size of [9, 9], but valid sizes range from [6, 6] to [6, 6] (for an input of "
     "torch.Size([4, 4]))", "K401", "sizes between (6, 6) and (6, 6)", "larger stride", "(6, 6) から (6, 6) まで"),
    (lambda: init.xavier_uniform_(torch.ones(3)), ValueError,
     "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions", "K411",
     "tensor has shape (3,), 1 dimensions; needed: at least 2", "nn.init.zeros_", "必要なのは少なくとも 2 次元です"),
    (lambda: init.calculate_gain("leaky_relu", "a"), ValueError, "negative_slope a not a valid number", "K401",
     "negative_slope is 'a'; it must be a number", "calculate_gain('leaky_relu', 0.2)",
     "negative_slope は 'a' ですが、数で"),
    (lambda: hook_returns_too_much(), RuntimeError,
     "Backward hook returned an invalid number of grad_input, got 2, but expected 1", "K443",
     "returned 2 gradients, and grad_input has 1", "None to leave them as they are", "勾配は 2 個"),
    (lambda: nn.Linear(2, 2).to(torch.int64), TypeError,
     "nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.int64", "K401",
     "dtype is torch.int64", "parameters of whole numbers have no gradients", "浮動小数点か複素数の型"),
    (lambda: nn.LazyLinear(3).weight.shape, RuntimeError,
     "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
     "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call "
     "`forward` to initialize the parameters before accessing their attributes.", "K441",
     "it learns its sizes from the first input", "call the model once with an example batch", "まだ形がありません"),
    (lambda: nn.LSTM(3, 4, proj_size=4), ValueError, "proj_size has to be smaller than hidden_size", "K401",
     "a whole number below 4, the hidden_size", "as proj_size", "4 (hidden_size) より小さい整数"),
    (lambda: nn.LSTM(3, 4)(torch.ones(2, 5, 3, dtype=torch.float64)), ValueError,
     "RNN input dtype (torch.float64) does not match weight dtype (torch.float32). Convert input: "
     "input.to(torch.float32), or convert model: model.to(torch.float64)", "K418",
     "input has dtype torch.float64 and weight has dtype torch.float32", "input.to(torch.float32)",
     "input の型は torch.float64"),
    (lambda: nn.GRU(3, 4)(torch.ones(2, 3), torch.ones(1, 1, 4)), RuntimeError,
     "For unbatched 2-D input, hx should also be 2-D but got 3-D tensor", "K411",
     "hx has shape (1, 1, 4), 3 dimensions; needed: 2", "h.squeeze(1)", "hx の形は (1, 1, 4)"),
    (lambda: nn.LSTMCell(3, 4)(torch.ones(2, 5, 3)), ValueError,
     "LSTMCell: Expected input to be 1D or 2D, got 3D instead", "K411", "input has shape (2, 5, 3)",
     "nn.LSTM takes whole sequences", "系列全体には nn.LSTM"),
    (lambda: nn.GRUCell(3, 4)(torch.ones(5, 2)), RuntimeError, "input has inconsistent input_size: got 2 expected 3",
     "K414", "dimension -1 of input has size 2; it must be 3, the input_size of GRUCell",
     "are its dimensions in the right order?", "3 (GRUCell の input_size)"),
    (lambda: nn.Embedding.from_pretrained(torch.ones(3)), AssertionError,
     "Embeddings parameter is expected to be 2-dimensional", "K411", "embeddings has shape (3,)",
     "(num_embeddings, embedding_dim)", "一つの項目に一行"),
    (lambda: nn.Linear(2, 2).load_state_dict("net.pt"), TypeError,
     "Expected state_dict to be dict-like, got <class 'str'>.", "K402", "state_dict is of type str; it must be a dict",
     "torch.load('net.pt')", "state_dict の型は str"),
    (lambda: nn.Sequential(nn.Linear(2, 2)).get_parameter("0.wight"), AttributeError, "Linear has no attribute `wight`",
     "K444", "Linear has no parameter named wight", "'weight', 'bias'", "wight という名前のパラメータはありません"),
    (lambda: nn.Transformer(8, 2)(torch.ones(3, 2, 8), torch.ones(3, 4, 8)), RuntimeError,
     "the batch number of src and tgt must be equal", "K413", "dimension 1 of both, the batch",
     "batch_first=True (batch, time, features)", "両者の次元 1 (バッチ)"),
    (lambda: clip_nan(), RuntimeError,
     "The total norm of order 2.0 for gradients from `parameters` is non-finite, so it cannot be clipped. "
     "To disable this error and scale the gradients by the non-finite norm anyway, set "
     "`error_if_nonfinite=False`", "K420", "a gradient holds NaN or inf", "set_detect_anomaly(True)",
     "勾配に NaN か inf"),
    (lambda: nn.utils.remove_weight_norm(nn.Linear(2, 2)), ValueError,
     "weight_norm of 'weight' not found in Linear(in_features=2, out_features=2, bias=True)", "K441",
     "weight_norm() was not called on weight of this Linear", "a model's layers have it, not the model",
     "weight_norm() が適用されていません"),
    (lambda: assign_to_parametrized(), RuntimeError, "parametrization Same does not implement right_inverse.", "K442",
     "Same does not define right_inverse", "def right_inverse(self, value)",
     "Same に right_inverse が定義されていません"),
    (lambda: prune.l1_unstructured(nn.Linear(2, 2), "weight", amount=1.5), ValueError,
     "amount=1.5 should either be a float in the range [0, 1] or a non-negative integer", "K401",
     "amount is 1.5; it must be a fraction between 0.0 and 1.0", "0.3 for three tenths", "3 割なら 0.3"),
    (lambda: rnn.pack_padded_sequence(torch.ones(2, 3, 1), [1, 2, 1]), RuntimeError,
     "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
     "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if "
     "you do not need ONNX exportability.", "K401", "lengths is [1, 2, 1]; it must be a list with the longest first",
     "enforce_sorted=False", "長い順のリスト"),
    (lambda: rnn.pack_padded_sequence(torch.ones(2, 3, 1), [2, 1]), RuntimeError,
     "Expected `len(lengths)` to be equal to batch_size, but got 2 (batch_size=3)", "K451",
     "lengths has 2 entries and input has 3", "one length for each sequence", "lengths は 2 個、input は 3 個"),
    (lambda: optim.Adam([parameter()], betas=(0.9, 1.0)), ValueError, "Invalid beta parameter at index 1: 1.0", "K401",
     "betas[1] is 1.0; it must be a number of at least 0 and below 1", "as betas[1]",
     "betas[1] は 1.0 ですが、0 以上 1 未満の数"),
    (lambda: sgd(nesterov=True), ValueError, "Nesterov momentum requires a momentum and zero dampening", "K406",
     "momentum is 0 and dampening 0", "momentum=0.9, nesterov=True", "momentum は 0、dampening は 0"),
    (lambda: sparse_adam(), RuntimeError, "Adam does not support sparse gradients, please consider SparseAdam instead",
     "K421", "Adam changes all elements in each step", "use SparseAdam or SGD", "疎な勾配が示すのは一部の行だけ"),
    (lambda: sgd().add_param_group([parameter()]), TypeError, "param_group must be a dict, but got <class 'list'>",
     "K402", "param_group is of type list; it must be a dict", "{'params': net.head.parameters(), 'lr': 0.01}",
     "param_group の型は list"),
    (lambda: lrs.ReduceLROnPlateau(sgd(), factor=1.5), ValueError, "Factor should be < 1.0.", "K401",
     "factor is 1.5; it must be a number below 1", "factor=0.1 makes it a tenth", "1 より小さい数"),
    (lambda: one_cycle_too_long(), ValueError, "Tried to step 3 times. The specified number of total steps is 2",
     "K441", "it was made for 2 steps, and this is step 3", "total_steps=epochs * len(loader)",
     "これは 3 ステップ目です"),
    (lambda: data.DataLoader([], shuffle=True), ValueError,
     "num_samples should be a positive integer value, but got num_samples=0", "K416", "the dataset is empty",
     "did a filter leave out everything?", "データセットが空"),
    (lambda: data.DataLoader([1, 2], batch_sampler=[[0], [1]], shuffle=True), ValueError,
     "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last", "K405",
     "batch_sampler says already which samples", "leave out batch_size, shuffle, sampler and drop_last",
     "batch_sampler がすでに決めています"),
    (lambda: another_batch_size(), ValueError, "batch_size attribute should not be set after DataLoader is initialized",
     "K447", "were made from batch_size", "DataLoader(dataset, batch_size=...)", "新しく作ってください"),
    (lambda: Nothing()[0], NotImplementedError, "Subclasses of Dataset should implement __getitem__.", "K442",
     "Nothing does not define __getitem__", "def __getitem__(self, index)",
     "Nothing に __getitem__ が定義されていません"),
    (lambda: update_without_step(), AssertionError, "No inf checks were recorded prior to update.", "K441",
     "no optimizer made a step through the scaler", "scaler.step(optimizer) in place of optimizer.step()",
     "scaler を通した step がなく"),
    (lambda: changing_function(), CheckpointError,
     "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
     "recomputation.", "K443", "forward saved 2 tensors, and computing it again saved 1",
     "depend on its arguments only", "再計算では 1 個でした"),
    (lambda: D.Normal(0.0, torch.tensor([1.0, -1.0])), ValueError,
     "Expected parameter scale (Tensor of shape (2,)) of distribution Normal(loc: torch.Size([2]), scale: "
     "torch.Size([2])) to satisfy the constraint GreaterThan(lower_bound=0.0), but found invalid values:", "K420",
     "scale holds -1.0; each of its numbers must be a number above 0.0", "F.softplus(x)",
     "scale に -1.0 が含まれています"),
    (lambda: D.MultivariateNormal(torch.zeros(2), torch.ones(2, 2)), ValueError,
     "Expected parameter covariance_matrix (Tensor of shape (2, 2)) of distribution "
     "MultivariateNormal(loc: torch.Size([2]), covariance_matrix: torch.Size([2, 2])) to satisfy the "
     "constraint PositiveDefinite(), but found invalid values:", "K401", "a symmetric matrix with positive eigenvalues",
     "x @ x.mT + 1e-4 * torch.eye(n)", "固有値がすべて正の対称行列"),
    (lambda: D.Categorical(torch.ones(3)).log_prob(torch.tensor(3)), ValueError,
     "Expected value argument (Tensor of shape ()) to be within the support "
     "(IntegerInterval(lower_bound=0, upper_bound=2)) of the distribution Categorical(probs: "
     "torch.Size([3])), but found invalid values:", "K420",
     "value holds 3; each of its numbers must be a whole number between 0 and 2", "print value.min() and value.max()",
     "0 以上 2 以下の整数"),
    (lambda: D.Bernoulli(0.5, logits=0.1), ValueError, "Either `probs` or `logits` must be specified, but not both.",
     "K405", "exactly one of them is needed", "any numbers, as a layer computes them", "ちょうど一方だけが必要"),
    (lambda: D.kl_divergence(D.Normal(0.0, 1.0), D.Bernoulli(0.5)), NotImplementedError,
     "The cross KL-divergence between different exponential families cannot be computed using Bregman "
     "divergences", "K432", "no formula is known for KL(Normal || Bernoulli)", "x = p.sample((10000,))",
     "KL(Normal || Bernoulli) の公式"),
]


@pytest.mark.parametrize("call, kind, first, code, cause, fix, japanese", MISTAKES, ids=[m[2][:40] for m in MISTAKES])
def test_a_mistake_is_explained_in_both_languages(call, kind, first, code, cause, fix, japanese, monkeypatch):
    said = {}
    for language in ("en", "ja"):
        monkeypatch.setenv("KOBAI_LANG", language)
        with pytest.raises(kind) as e:
            call()
        assert type(e.value) is kind and e.value.code == code
        said[language] = str(e.value)
        assert said[language].splitlines()[0] == first
    before, _, after = said["en"].partition("\n  fix: ")
    assert cause in before and fix in after and "?" not in before.partition("\n  cause: ")[2].splitlines()[0]
    assert japanese in said["ja"] and "\n  対処: " in said["ja"] and "fix:" not in said["ja"]


class Still(optim.Optimizer):
    def __init__(self, params):
        super().__init__(params, {"lr": 0.1})


class Level(lrs.LRScheduler):
    pass


def test_an_optimizer_or_schedule_of_your_own_says_which_method_it_lacks():
    """PyTorch raises NotImplementedError, too, without a text."""
    w = parameter()
    w.sum().backward()
    with pytest.raises(NotImplementedError, match=r"(?s)Still does not define step.*def step\(self, closure=None\)") as e:
        Still([w]).step()
    assert e.value.code == "K442"
    optimizer = optim.SGD([w], lr=0.1)
    schedule = Level(optimizer)
    optimizer.step()
    with pytest.raises(NotImplementedError, match=r"(?s)Level does not define get_lr.*def get_lr\(self\)"):
        schedule.step()


def test_a_number_outside_is_named_with_its_own_bound():
    """Bounds may be tensors: the one that belongs to the number is told."""
    with pytest.raises(ValueError, match="value holds 3.0; each of its numbers must be a number between 0.0 and 2.0"):
        D.Uniform(torch.zeros(2), torch.tensor([1.0, 2.0])).log_prob(torch.tensor([0.5, 3.0]))


def test_nan_in_a_parameter_is_a_hint_at_what_came_before():
    with pytest.raises(ValueError, match="(?s)loc holds nan.*a step before it computed NaN"):
        D.Normal(torch.tensor(float("nan")), 1.0)
