"""Common mistakes with autograd, transforms, files, generators and pictures: what kobai says, in both languages.

First lines are PyTorch 2.13's (torchviz's for make_dot), but for those that only kobai can say: rearrange's are functorch's.
"""
import io
import pickle

import numpy as np
import pytest

import kobai as torch
from kobai import func, nn
from kobai.autograd import forward_ad, functional as AF

X = torch.tensor([1.0, 2.0], requires_grad=True)


class _Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        return g * 2


def _hook(result):
    w = torch.ones(2, requires_grad=True)
    w.register_hook(lambda g: result)
    w.sum().backward()


def _twice():
    w = torch.ones(2, requires_grad=True)
    (g,) = torch.autograd.grad(_Once.apply(w).pow(2).sum(), w, create_graph=True)
    g.sum().backward()


MISTAKES = [  # (call, type, first line, code, in the cause, in the fix, in the Japanese text)
    (lambda: _hook(torch.ones(3)), RuntimeError, "hook '<lambda>' has changed the size of value", "K443",
     "gave one of (3,)", "return a tensor of shape (2,)", "返した勾配の形は (3,) です"),
    (lambda: X.sum().backward(inputs=[]), RuntimeError, "`inputs` argument to `backward()` cannot be empty.", "K407",
     "inputs has 0 entries", "leave out inputs", "inputs を省いて"),
    (lambda: X.sum().backward(2.0), TypeError, "gradients can be either Tensors or None, but got float", "K402",
     "gradient is of type float", "pass a tensor or None", "gradient の型は float"),
    (lambda: (X * 1j).sum().backward(), RuntimeError,
     "grad can be implicitly created only for real scalar outputs but got torch.complex64", "K417", "two parts", ".real",
     "複素数には二つの部分"),
    (lambda: torch.autograd.grad(X.sum(), X, allow_unused=False, materialize_grads=True), ValueError,
     "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.", "K405",
     "rules out the other", "leave out allow_unused", "同時には使えません"),
    (lambda: torch.autograd.backward([X.sum(), X.sum()], [torch.ones(())]), RuntimeError, "got 2 tensors and 1 gradients",
     "K451", "the tensors has 2 entries", "as many of the one", "一つずつ対応"),
    (_twice, RuntimeError, "trying to differentiate twice a function that was marked with @once_differentiable", "K432",
     "values only", "remove @once_differentiable", "@once_differentiable を外して"),
    (lambda: forward_ad.make_dual(torch.ones(2), torch.ones(2)), RuntimeError,
     "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first.", "K441",
     "none is open", "dual_level()", "開いている区間がありません"),
    (lambda: AF.jacobian(lambda x: x.detach(), X, strict=True), RuntimeError,
     "Output 0 of the user-provided function does not require gradients. The outputs must be computed in a differentiable "
     "manner from the input when running in strict mode.", "K443", "output 0 does not depend", ".detach()", "出力 0 は"),
    (lambda: AF.hvp(lambda x: x.sum(), X, torch.ones(3)), RuntimeError,
     "v has invalid size: should be torch.Size([2]) but got torch.Size([3]).", "K412", "v has shape (3,)",
     "bring it to shape (2,)", "v の形は (3,)"),
    (lambda: X.register_post_accumulate_grad_hook(print) and (X * 2).register_post_accumulate_grad_hook(print),
     RuntimeError, "post accumulate grad hooks cannot be registered on non-leaf tensors", "K441", "MulBackward0 made",
     "register_hook", "葉だけ"),
    (lambda: torch.ones(4)[:2].detach_(), RuntimeError, "Can't detach views in-place. Use detach() instead.", "K422",
     "shares its history", "x.detach()", "ビュー"),
    (lambda: setattr(X, "grad", X), RuntimeError, "can't assign Variable as its own grad", "K401", "two tensors",
     "zeros_like", "別のテンソル"),
    (lambda: torch.ones(2, dtype=torch.bool) - torch.ones(2, dtype=torch.bool), RuntimeError,
     "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator "
     "instead.", "K417", "not numbers that can be subtracted", "a ^ b", "引き算できる数ではありません"),
    (lambda: func.vmap(torch.sin, randomness="some"), RuntimeError,
     "Only allowed values for randomness are 'error', 'different', or 'same'. Got some", "K403", "none of 'error'",
     "'different'", "選べるのは"),
    (lambda: func.vmap(torch.rand_like)(torch.ones(3)), RuntimeError,
     "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness "
     "flags on vmap or perform the randomness operation out of vmap", "K441", "was not told which",
     "randomness='different'", "乱数"),
    (lambda: func.vmap(torch.add, in_dims=(0,))(torch.ones(3), torch.ones(3)), ValueError,
     "vmap(add, in_dims=(0,), ...)(<inputs>): in_dims is not compatible with the structure of `inputs`.", "K401",
     "built differently", "one entry", "構造が違います"),
    (lambda: func.grad(torch.sin)(torch.ones(2)), RuntimeError,
     "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with 1 dims. Maybe you wanted to use "
     "the vjp or jacrev APIs instead?", "K443", "a tensor of shape (2,)", ".sum()", "要素が一つのテンソル"),
    (lambda: func.grad(torch.sum, argnums=1)(torch.ones(2)), RuntimeError, "Got argnum=1, but only 1 positional inputs", "K419",
     "argnum is 1", "0 to 0", "argnum は 1"),
    (lambda: func.jvp(torch.sin, torch.ones(2), torch.ones(2)), RuntimeError,
     "jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be valid to call f(*primals).", "K402",
     "primals is of type Tensor", "(x,)", "コンマ"),
    (lambda: func.rearrange(torch.ones(2, 3), "a b -> a"), ValueError,
     "Identifiers only on one side of rearrange expression (should be on both): {'b'}", "K453", "on one side only: 'b'",
     "on both sides", "片側にしかない"),
    (lambda: torch.load(io.BytesIO(b"")), EOFError, "Ran out of input", "K461", "it is empty", "seek(0)", "空であるか"),
    (lambda: torch.load(io.BytesIO(b"hello, world")), pickle.UnpicklingError, "Weights only load failed.", "K461",
     "its beginning is not", "look at the path", "先頭が"),
    (lambda: torch.set_default_dtype(torch.int32), TypeError, "only floating-point types are supported as the default type",
     "K401", "the default dtype is torch.int32", "torch.float64", "浮動小数点数の型"),
    (lambda: torch.Generator().manual_seed("zero"), RuntimeError, "manual_seed expected a long, but got str", "K402", "seed is of type str",
     "a whole number", "整数"),
    (lambda: torch.from_numpy(np.array(["a"])), TypeError, "can't convert np.ndarray of type", "K402", "array of numbers",
     "astype", "数の配列"),
    (lambda: torch.normal(0.0, -1.0, (3,)), RuntimeError, "normal expects std >= 0.0, but found std -1", "K401", "std is -1.0",
     "at least 0", "0 以上の数"),
    (lambda: func.stack_module_state([nn.Linear(1, 1), nn.Tanh()]), RuntimeError,
     "stack_module_state: Expected all models to be of the same class.", "K401", "'Linear', 'Tanh'", "in the same way",
     "クラスが違います"),
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
    assert cause in causes[0] and fix in fixes[0] and "{" not in causes[0] + fixes[0].replace("{'", "")
    assert any(japanese in line for line in said["ja"])
