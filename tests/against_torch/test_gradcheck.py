"""gradcheck and gradgradcheck agree with PyTorch's about what is right and how they say what is wrong."""
import pytest

pytest.importorskip("torch")


def function(torch, backward, jvp=None):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return x ** 2
    F.backward = staticmethod(lambda ctx, g: backward(g, ctx.saved_tensors[0]))
    if jvp:
        F.jvp = staticmethod(lambda ctx, t: jvp(t, ctx.saved_tensors[0]))
    return F.apply


CASES = {
    "sin": lambda t, x, y, z: (t.sin, (x,), {}),
    "one input": lambda t, x, y, z: (t.sin, x, {}),
    "two outputs": lambda t, x, y, z: (lambda a, b: (a * b, a.sum(), b.detach()), (x, y), {}),
    "numbers": lambda t, x, y, z: (lambda a, n: a * n, [x, 3], {}),
    "matrix": lambda t, x, y, z: (lambda a, b: t.outer(a, b).tanh() @ a, (x, y), {"check_forward_ad": True}),
    "complex": lambda t, x, y, z: (lambda a: a * a.conj() + a ** 2, (z,), {}),
    "complex to real": lambda t, x, y, z: (lambda a: a.abs(), (z,), {"fast_mode": True}),
    "real to complex": lambda t, x, y, z: (lambda a: a * (1 + 2j), (x,), {}),
    "fast": lambda t, x, y, z: (lambda a: a.exp().prod(), (x,), {"fast_mode": True}),
    "batched": lambda t, x, y, z: (t.exp, (x,), {"check_batched_grad": True, "check_forward_ad": True,
                                                "check_batched_forward_grad": True}),
    "wrong": lambda t, x, y, z: (function(t, lambda g, x: 3 * g * x), (x,), {}),
    "wrong and loose": lambda t, x, y, z: (function(t, lambda g, x: 3 * g * x), (x,), {"atol": 100}),
    "wrong, quiet": lambda t, x, y, z: (function(t, lambda g, x: 3 * g * x), (x,), {"raise_exception": False}),
    "wrong, fast": lambda t, x, y, z: (function(t, lambda g, x: 3 * g * x), (x,), {"fast_mode": True}),
    "wrong conjugate": lambda t, x, y, z: (function(t, lambda g, x: 2 * g * x), (z,), {}),
    "right conjugate": lambda t, x, y, z: (function(t, lambda g, x: 2 * g * x.conj()), (z,), {}),
    "no gradient": lambda t, x, y, z: (function(t, lambda g, x: None), (x,), {}),
    "wrong jvp": lambda t, x, y, z: (function(t, lambda g, x: 2 * g * x, lambda d, x: d), (x,), {"check_forward_ad": True}),
    "random backward": lambda t, x, y, z: (function(t, lambda g, x: 2 * g * x + 1e-6 * t.rand(())), (x,), {}),
    "random, allowed": lambda t, x, y, z: (function(t, lambda g, x: 2 * g * x + 1e-6 * t.rand(())), (x,), {"nondet_tol": 1e-3}),
    "nothing requires grad": lambda t, x, y, z: (t.sin, (x.detach(),), {}),
    "cut": lambda t, x, y, z: (lambda a: a.detach() * 2, (x,), {}),
    "constant": lambda t, x, y, z: (lambda a: t.ones(2), (x,), {}),
    "expanded": lambda t, x, y, z: (t.sin, (x[:1].detach().requires_grad_().expand(3),), {}),
    "nothing to check": lambda t, x, y, z: (t.sin, (x,), {"check_backward_ad": False}),
}


@pytest.mark.parametrize("name", CASES)
def test_gradcheck(torch, name):
    x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in ([0.5, -1.0, 2.0], [1.5, 0.7, -0.3]))
    z = torch.tensor([1 + 2j, -0.5 + 1j, 0.3 - 1j], dtype=torch.complex128, requires_grad=True)
    f, inputs, options = CASES[name](torch, x, y, z)
    before = x.tolist(), z.tolist()
    try:
        return torch.autograd.gradcheck(f, inputs, **options), (x.tolist(), z.tolist()) == before
    except (RuntimeError, ValueError, AssertionError) as e:
        return "raised", type(e).__name__, str(e)


@pytest.mark.parametrize("name", ["cube", "wrong", "given", "forward", "strided", "complex", "fast"])
def test_gradgradcheck(torch, name):
    x = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
    z = torch.tensor([1 + 2j, -0.5 + 1j], dtype=torch.complex128, requires_grad=True)
    f, inputs, options = {
        "cube": (lambda a: a ** 3, (x,), {}),
        "wrong": (function(torch, lambda g, x: 2 * g * x.detach()), (x,), {}),
        "given": (lambda a: a ** 3, (x,), {"grad_outputs": torch.ones_like(x).requires_grad_()}),
        "forward": (lambda a: a ** 3, (x,), {"check_fwd_over_rev": True, "check_rev_over_rev": False, "check_undefined_grad": False}),
        "strided": (lambda a: a.sin() * a, (x,), {"gen_non_contig_grad_outputs": True}),
        "complex": (lambda a: (a ** 2).abs(), (z,), {}),
        "fast": (lambda a: a.exp(), (x,), {"fast_mode": True}),
    }[name]
    try:
        return torch.autograd.gradgradcheck(f, inputs, **options)
    except (RuntimeError, ValueError) as e:
        return "raised", type(e).__name__, str(e)
