"""gradcheck and gradgradcheck: derivatives compared with finite differences (torch.autograd.gradcheck's names)."""
from __future__ import annotations

import sys
import warnings
from types import ModuleType

import numpy as np

from ..diagnose import error
from ..func import vmap
from ..lifted import m
from ..tensor import Tensor, anew, wrap
from . import forward_ad
from .engine import grad
from .mode import enable_grad


class GradcheckError(RuntimeError):
    """A derivative is not what finite differences say."""


def gradcheck(func, inputs, *, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True, nondet_tol=0.0,
              check_undefined_grad=True, check_grad_dtypes=False, check_batched_grad=False,
              check_batched_forward_grad=False, check_forward_ad=False, check_backward_ad=True, fast_mode=False,
              masked=None):
    """Compare the derivatives of `func` at `inputs` with central differences.

    Args: `inputs`, float64 or complex128 tensors with requires_grad, and whatever else func takes;
    `fast_mode` compares in one random direction instead of all; `check_forward_ad` tests jvp too,
    `check_batched_grad` vmap over the gradients.
    Raises GradcheckError (or returns False, if not `raise_exception`); ValueError if nothing requires grad.

    >>> kobai.autograd.gradcheck(kobai.sin, kobai.ones(3, dtype=torch.float64, requires_grad=True))
    True
    """
    assert check_forward_ad or check_backward_ad, \
        "Expected at least one of check_forward_ad or check_backward_ad to be True"
    assert check_backward_ad or not check_batched_grad, \
        "Setting check_batched_grad=True requires check_backward_ad to be True"
    assert check_forward_ad or not check_batched_forward_grad, \
        "Setting check_batched_forward_grad=True requires check_forward_ad to be True"
    check = _Check(func, _as_tuple(inputs), eps, atol, rtol, fast_mode)
    try:
        if not check.outputs:
            check.nothing_varies()
            return True
        if check_forward_ad:
            check.compare(check.forward, "Jacobian computed with forward mode mismatch")
        if check_batched_forward_grad:
            check.batched_forward()
        if check_backward_ad:
            check.compare(check.reverse, "Jacobian mismatch")
            check.reentrant(nondet_tol)
            if check_batched_grad:
                check.batched_reverse()
            check.backward_details(check_undefined_grad, check_grad_dtypes)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(func, inputs, grad_outputs=None, *, eps=1e-6, atol=1e-5, rtol=1e-3,
                  gen_non_contig_grad_outputs=False, raise_exception=True, nondet_tol=0.0, check_undefined_grad=True,
                  check_grad_dtypes=False, check_batched_grad=False, check_fwd_over_rev=False, check_rev_over_rev=True,
                  fast_mode=False, masked=False):
    """gradcheck of the gradients of `func`, which are functions of `inputs` and of `grad_outputs` (random if None)."""
    assert check_fwd_over_rev or check_rev_over_rev, \
        "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True"
    for option, name in ((check_undefined_grad, "check_undefined_grad"), (check_batched_grad, "check_batched_grad")):
        assert check_rev_over_rev or not option, f"Setting {name}=True requires check_rev_over_rev to be True"
    inputs = _as_tuple(inputs)
    if grad_outputs is None:
        outs = _differentiable(func(*inputs))
        grad_outputs = tuple([_random_like(o, gen_non_contig_grad_outputs) for o in outs])
    grad_outputs = _as_tuple(grad_outputs)
    n = len(inputs)

    def gradients(*args):
        with enable_grad():
            xs = tuple([m.identity(x) if _varies(x) else x for x in args[:n]])
            outs = _differentiable(func(*xs))
            wanted = [x for x in xs if _varies(x)]
            found = grad(outs, wanted, args[n:], create_graph=True, allow_unused=True)
        return tuple([g for g in found if g is not None])
    return gradcheck(gradients, (*inputs, *grad_outputs), eps=eps, atol=atol, rtol=rtol,
                     raise_exception=raise_exception, nondet_tol=nondet_tol, check_undefined_grad=check_undefined_grad,
                     check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad, fast_mode=fast_mode,
                     check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev, masked=masked)


def _as_tuple(v):
    return (v,) if isinstance(v, Tensor) else tuple(v)


def _varies(t):
    return isinstance(t, Tensor) and t.requires_grad


def _differentiable(out):
    return tuple([o for o in _as_tuple(out) if o.requires_grad])


def _random_like(o, non_contiguous):
    shape = (*o.shape[:-1], 2 * o.shape[-1]) if non_contiguous and o.ndim else tuple(o.shape)
    g = np.random.default_rng(0).uniform(-1, 1, shape)
    if o.is_complex():
        g = g + 1j * np.random.default_rng(1).uniform(-1, 1, shape)
    g = g.astype(o._value.dtype)
    return wrap(g[..., ::2] if shape != tuple(o.shape) else np.asarray(g)).requires_grad_()


# ---- one check -------------------------------------------------------------------------------
class _Check:
    """One function at one point. Jacobians are arrays (elements of an input, elements of an output).

    Where an input x + iy is complex, its derivative is d/dx + i d/dy, as `.grad` has it; complex
    outputs are looked at as two real ones.
    """

    def __init__(self, func, inputs, eps, atol, rtol, fast):
        self.func, self.inputs = func, inputs
        self.eps, self.atol, self.rtol, self.fast = eps, atol, rtol, fast
        self.places = [i for i, x in enumerate(inputs) if _varies(x)]
        self._check_inputs()
        self.outputs = self._outputs()
        self.parts = [("imag", "While considering the imaginary part of complex outputs only, "),
                      ("real", "While considering the real part of complex outputs only, ")] \
            if any(o.is_complex() for o in self.outputs) else [("real", "")]

    def _check_inputs(self):
        if not self.places:
            raise error("argument-value",
                        ValueError("gradcheck expects at least one input tensor to require gradient, but none of them have "
                                   "requires_grad=True."),
                        what="inputs", value="", must="a tensor",
                        why="none of the inputs requires grad, so there is no gradient to check.",
                        fix="torch.randn(3, dtype=torch.float64, requires_grad=True)")
        for i in self.places:
            x = self.inputs[i]
            if x._value.dtype not in (np.float64, np.complex128):
                warnings.warn(f"Input #{i} requires gradient and is not a double precision floating point or complex. "
                              "This check will likely fail if all the inputs are not of double precision floating "
                              "point or complex. ", stacklevel=4)
            if any(s == 0 and n > 1 for s, n in zip(x.stride(), x.shape)):
                raise error("memory", RuntimeError(
                    f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are "
                    "non-overlapping to be able to compute the numerical gradients correctly. You should call "
                    ".contiguous on the input before passing it to gradcheck."),
                    why="an expanded tensor keeps one number for many elements; to change one of them changes all.",
                    fix="pass x.contiguous().")

    def _outputs(self):
        with enable_grad():
            return _differentiable(self.func(*self.inputs))

    def values(self):
        """The differentiable outputs (all of them, if none is differentiable) as flat arrays."""
        with enable_grad():
            outs = [o for o in _as_tuple(self.func(*self.inputs)) if isinstance(o, Tensor)]
        outs = [o for o in outs if o.requires_grad] if self.outputs else outs
        return [np.array(o.detach().numpy()).reshape(-1) for o in outs]

    # ---- finite differences ------------------------------------------------------------------
    def moved(self, i, step):
        """The outputs with `step` (an array) added to input i."""
        x = self.inputs[i]._array()
        before = np.array(x)
        try:
            x += np.asarray(step).reshape(x.shape).astype(x.dtype)
            return self.values()
        finally:
            x[...] = before

    def along(self, i, direction):
        """Central differences of the outputs along a direction of input i."""
        plus, minus = self.moved(i, self.eps * direction), self.moved(i, -self.eps * direction)
        return [(p - q) / (2 * self.eps) for p, q in zip(plus, minus)]

    def numerical(self, i, part):
        """The Jacobian of each output by input i."""
        x = self.inputs[i]._array()
        rows = [self._derivative(i, e, x.dtype.kind == "c", part) for e in np.eye(x.size)]
        count = len(self.values())
        return [np.array([row[k] for row in rows]).reshape(x.size, -1) for k in range(count)]

    def _derivative(self, i, e, is_complex, part):
        d = [getattr(v, part) for v in self.along(i, e)]
        if is_complex:
            d = [v + 1j * getattr(w, part) for v, w in zip(d, self.along(i, 1j * e))]
        return d

    def nothing_varies(self):
        for i in self.places:
            for part in ("real", "imag"):
                if any(np.abs(j).max(initial=0) > 0 for j in self.numerical(i, part)):
                    raise GradcheckError("Numerical gradient for function expected to be zero\n"
                                         "  cause: no output requires grad, and yet they change with the inputs: the "
                                         "graph is cut inside the function.")

    # ---- derivatives -------------------------------------------------------------------------
    def reverse(self, i, k, part, seeds):
        """Rows of the gradient of input i for cotangents (rows of `seeds`) of output k."""
        out = self._outputs()[k]
        unit = 1j if part == "imag" else 1
        rows = []
        for s in seeds:
            v = (unit * s if out.is_complex() else s).reshape(tuple(out.shape)).astype(out._value.dtype)
            rows.append(_flat(self._grad(out, i, wrap(np.asarray(v))), self.inputs[i]))
        return np.array(rows).reshape(len(seeds), -1).T

    def _grad(self, out, i, v, **options):
        return grad(out, self.inputs[i], v, retain_graph=True, allow_unused=True, **options)[0]

    def forward(self, i, k, part, seeds):
        """The same by forward mode, which gives columns: one for each element of the input."""
        x = self.inputs[i]
        units = np.eye(x.numel())
        rows = [getattr(self._tangent(i, k, e), part) for e in units]
        if x.is_complex():
            rows = [r + 1j * getattr(self._tangent(i, k, 1j * e), part) for r, e in zip(rows, units)]
        return np.array(rows).reshape(len(units), -1) @ seeds.T

    def _tangent(self, i, k, direction):
        x = self.inputs[i]
        t = wrap(np.asarray(direction.reshape(tuple(x.shape)).astype(x._value.dtype)))
        with forward_ad.dual_level():
            args = [forward_ad.make_dual(v, t) if j == i else v for j, v in enumerate(self.inputs)]
            keep = [o.requires_grad for o in _as_tuple(self.func(*self.inputs))]
            out = [o for o, kept in zip(_as_tuple(self.func(*args)), keep) if kept][k]
            return _flat(forward_ad.unpack_dual(out).tangent, out)

    # ---- comparison --------------------------------------------------------------------------
    def compare(self, analytical, title):
        for part, prefix in self.parts:
            for i in self.places:
                for k, out in enumerate(self.outputs):
                    if part == "real" or out.is_complex():
                        (self._fast if self.fast else self._slow)(analytical, i, k, part, prefix + title)

    def _slow(self, analytical, i, k, part, title):
        n = self.numerical(i, part)[k]
        a = analytical(i, k, part, np.eye(self.outputs[k].numel()))
        if not np.allclose(a, n, self.rtol, self.atol):
            raise GradcheckError(f"{self._where(title, i, k)}\nnumerical:{wrap(n)}\nanalytical:{wrap(a)}\n")

    def _where(self, title, i, k):
        return f"{title} for output {k} with respect to input {self.places.index(i)},"

    def _fast(self, analytical, i, k, part, title):
        """In one random direction; if that fails, the whole Jacobians are shown."""
        rng = np.random.default_rng(1)
        x = self.inputs[i]
        u, v = _unit(rng, x.numel()), _unit(rng, self.outputs[k].numel())
        n = getattr(self.along(i, u)[k], part) @ v
        if x.is_complex():
            n = n + 1j * (getattr(self.along(i, 1j * u)[k], part) @ v)
        a = (u @ analytical(i, k, part, v[None])).item()
        if abs(a - n) > self.atol * u.sum() * v.sum() + self.rtol * abs(n):
            n_slow, a_slow = self.numerical(i, part)[k], analytical(i, k, part, np.eye(len(v)))
            raise GradcheckError(
                f"{self._where(title, i, k)}\nnumerical:{n}\nanalytical:{a}\n\nThe above quantities relating the "
                "numerical and analytical jacobians are computed\nin fast mode, along one random direction. In all "
                f"directions:\n\nNumerical:\n {wrap(n_slow)}\nAnalytical:\n{wrap(a_slow)}\n\nThe max per-element "
                f"difference (slow mode) is: {np.abs(n_slow - a_slow).max()}.\n")

    # ---- other properties --------------------------------------------------------------------
    def reentrant(self, tolerance):
        for i in self.places:
            for out in self.outputs:
                v = _random_like(out, False).detach()
                a, b = (_flat(self._grad(out, i, v), self.inputs[i]) for _ in range(2))
                if np.abs(a - b).max(initial=0) > tolerance:
                    raise GradcheckError(
                        "Backward is not reentrant, i.e., running backward with same input and grad_output multiple "
                        "times gives different values, although analytical gradient matches numerical gradient."
                        f"The tolerance for nondeterminism was {tolerance}.\n  fix: for an operation that is meant to "
                        "be random, pass nondet_tol=<a small number>.")

    def batched_reverse(self):
        for i in self.places:
            for k, out in enumerate(self._outputs()):
                vs = [_random_like(out, False).detach() * s for s in (1, -0.5)]
                want = m.stack([m.zeros_like(self.inputs[i].detach()) if g is None else g
                                for g in (self._grad(out, i, v) for v in vs)])
                self._same(lambda: self._grad(out, i, m.stack(vs), is_grads_batched=True), want,  # noqa: B023
                           f"gradient of output {k} by input {i}", "grad", "check_batched_grad=False")

    def batched_forward(self):
        for i in self.places:
            x = self.inputs[i].detach()
            for k in range(len(self.outputs)):
                ts = [_random_like(x, False).detach() * s for s in (1, -0.5)]

                def tangent(t, i=i, k=k, x=x):
                    with forward_ad.dual_level():
                        args = [forward_ad.make_dual(x, t) if j == i else v for j, v in enumerate(self.inputs)]
                        out = _as_tuple(self.func(*args))[k]
                        found = forward_ad.unpack_dual(out).tangent
                        return m.zeros_like(anew(out)) if found is None else found
                want = m.stack([tangent(t) for t in ts])
                self._same(lambda: vmap(tangent)(m.stack(ts)), want,  # noqa: B023
                           f"tangent of output {k} by input {i}", "forward grad", "check_batched_forward_grad=False")

    def _same(self, batched, want, what, kind, option):
        try:
            have = batched()
        except RuntimeError as e:
            raise GradcheckError(f"While computing batched gradients, got: {e}\n  fix: {option} leaves this out.") from e
        if have is not None and not np.allclose(have.detach().numpy(), want.detach().numpy(), self.rtol, self.atol):
            raise GradcheckError(f"For {what}: vmap over the {kind} gives other numbers than one {kind} after the other:\n"
                                 f"{have}\n{want}\nIt is likely that one of the ops has a wrong batching rule.")

    def backward_details(self, undefined, dtypes):
        """Each output alone (the others have no gradient then), and the dtypes of what comes."""
        for out in self.outputs if len(self.outputs) > 1 and undefined else self.outputs[:1]:
            for i in self.places:
                g = self._grad(out, i, m.zeros_like(out.detach()))
                if g is not None and bool((g != 0).any()):
                    raise GradcheckError("backward not multiplied by grad_output\n"
                                         "  cause: a gradient of zero gives another one than zero.")
                if dtypes and g is not None and g.dtype != self.inputs[i].dtype:
                    raise GradcheckError(f"Gradient has dtype mismatch: {g.dtype} for an input of {self.inputs[i].dtype}")


def _flat(g, like):
    """A gradient as a flat array, zeros for None."""
    return np.zeros(like.numel(), like._value.dtype) if g is None else np.array(g.detach().numpy()).reshape(-1)


def _unit(rng, n):
    v = rng.uniform(0.1, 1, n)
    return v / np.linalg.norm(v)


class _Callable(ModuleType):
    """torch.autograd.gradcheck is this module and the function: whoever imports the module may still call it."""

    def __call__(self, *args, **kwargs):
        return gradcheck(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
