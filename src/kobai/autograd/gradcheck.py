"""`gradcheck` and `gradgradcheck`: derivatives against finite differences, for functions of the user's own."""
from __future__ import annotations

import warnings

import numpy as np

from ..func import jvp
from ..tensor import Tensor, wrap
from .engine import grad
from .mode import enable_grad


class GradcheckError(RuntimeError):
    """A derivative that disagrees with finite differences."""


def gradcheck(func, inputs, *, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True, nondet_tol=0.0,
              check_undefined_grad=True, check_grad_dtypes=False, check_batched_grad=False,
              check_batched_forward_grad=False, check_forward_ad=False, check_backward_ad=True, fast_mode=False,
              masked=None):
    """Compare the gradients of `func(*inputs)` with central differences of step `eps`.

    Inputs that require grad should be float64 or complex128. `fast_mode` compares along one random
    direction instead of all. Returns True; raises GradcheckError (or returns False) on a difference.

    >>> import kobai
    >>> x = kobai.randn(3, dtype=kobai.float64, requires_grad=True)
    >>> kobai.autograd.gradcheck(lambda x: (x * x).sum(), x)
    True
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    check = _Check(func, inputs, eps, atol, rtol)
    try:
        if not check.moving:
            raise ValueError("gradcheck expects at least one input tensor to require gradient, but none of the them "
                             "have requires_grad=True.")
        check.warn_of_precision()
        if check_backward_ad:
            check.reverse(fast_mode)
        if check_forward_ad:
            check.forward()
        if nondet_tol == 0.0 and check_backward_ad:
            check.deterministic()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(func, inputs, grad_outputs=None, *, eps=1e-6, atol=1e-5, rtol=1e-3, gen_non_contig_grad_outputs=False,
                  raise_exception=True, nondet_tol=0.0, check_undefined_grad=True, check_grad_dtypes=False,
                  check_batched_grad=False, check_fwd_over_rev=False, check_rev_over_rev=True, fast_mode=False,
                  masked=False):
    """`gradcheck` of the gradient: second derivatives against finite differences of the first."""
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    outs = _outputs(func(*inputs))
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        grad_outputs = [wrap(_random(rng, o)).requires_grad_() for o in outs]
    else:
        grad_outputs = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    n = len(inputs)

    def first(*args):
        moving = [t for t in args[:n] if isinstance(t, Tensor) and t.requires_grad]
        with enable_grad():
            pairs = [(o, g) for o, g in zip(_outputs(func(*args[:n])), args[n:]) if o.requires_grad]
            found = grad([o for o, _ in pairs], moving, [g for _, g in pairs], create_graph=True, allow_unused=True)
        return tuple([g for g in found if g is not None])
    return gradcheck(first, (*inputs, *grad_outputs), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
                     nondet_tol=nondet_tol, check_forward_ad=check_fwd_over_rev, fast_mode=fast_mode)


def _outputs(out):
    """The differentiable outputs, as a tuple."""
    outs = (out,) if isinstance(out, Tensor) else tuple(out)
    return tuple([o for o in outs if isinstance(o, Tensor) and o._value.dtype.kind in "fcV"])


def _random(rng, t):
    v = np.asarray(rng.standard_normal(tuple(t.shape)))
    if t._value.dtype.kind == "c":
        v = v + 1j * rng.standard_normal(tuple(t.shape))
    return v.astype(t._value.dtype)


class _Check:
    """One function at one point. Complex numbers count as two real ones: gradients are dL/dx + i dL/dy."""

    def __init__(self, func, inputs, eps, atol, rtol):
        self.func, self.inputs, self.eps, self.atol, self.rtol = func, inputs, eps, atol, rtol
        self.moving = [i for i, t in enumerate(inputs) if isinstance(t, Tensor) and t.requires_grad]

    def warn_of_precision(self):
        for i in self.moving:
            if self.inputs[i]._value.dtype not in (np.float64, np.complex128):
                warnings.warn(f"Input #{i} requires gradient and is not a double precision floating point or complex. "
                              "This check will likely fail if all the inputs are not of double precision floating "
                              "point or complex. ", stacklevel=4)

    def value(self, i, array):
        """The outputs with input i replaced, as arrays."""
        args = [t.detach() if isinstance(t, Tensor) else t for t in self.inputs]
        args = [a.requires_grad_() if k in self.moving else a for k, a in enumerate(args)]
        args[i] = wrap(array).requires_grad_()
        return [np.array(o.detach()._array()) for o in _outputs(self.func(*args))]

    def slope(self, i, direction):
        """Central difference of all outputs along a direction of input i."""
        x = self.inputs[i].detach()._array()
        plus, minus = (self.value(i, np.array(x + s * self.eps * direction)) for s in (1, -1))
        return [(p - m) / (2 * self.eps) for p, m in zip(plus, minus)]

    def gradients(self, outs, k, cotangent):
        """Gradients of the moving inputs for a cotangent of output k; zeros where there is none."""
        targets = [self.inputs[i] for i in self.moving]
        if not outs[k].requires_grad:
            return [np.zeros(tuple(t.shape), t._value.dtype) for t in targets]
        found = grad([outs[k]], targets, [wrap(cotangent)], retain_graph=True, allow_unused=True)
        return [np.zeros(tuple(t.shape), t._value.dtype) if g is None else np.array(g.detach()._array())
                for g, t in zip(found, targets)]

    def reverse(self, fast):
        outs = _outputs(self.func(*self.inputs))
        for j, i in enumerate(self.moving):
            for direction in self.directions(self.inputs[i], fast):
                for k, numeric in enumerate(self.slope(i, direction)):
                    self.compare(outs, k, i, j, direction, numeric, fast)

    def directions(self, t, fast):
        shape, dtype = tuple(t.shape), t._value.dtype
        if fast:
            return [_random(np.random.default_rng(0), t)]
        units = np.eye(int(np.prod(shape)), dtype=dtype).reshape(-1, *shape)
        return [u * f for u in units for f in ((1, 1j) if dtype.kind == "c" else (1,))]

    def compare(self, outs, k, i, j, direction, numeric, fast):
        """<cotangent, slope> against <gradient, direction>, for one random cotangent or each unit one."""
        for cotangent in self.directions(outs[k], fast):
            want = np.real(np.vdot(cotangent, numeric))
            have = np.real(np.vdot(self.gradients(outs, k, cotangent)[j], direction))
            if not np.isclose(have, want, self.rtol, self.atol):
                raise GradcheckError(
                    f"Jacobian mismatch for output {k} with respect to input {i},\nnumerical:{want}\n"
                    f"analytical:{have}\n  cause: along one direction of input {i} the gradient says {have}, central "
                    f"differences say {want}.\n  fix: check backward's formula, and that the function is smooth here.")

    def forward(self):
        """Forward mode along each moving input against central differences."""
        for i in self.moving:
            direction = _random(np.random.default_rng(0), self.inputs[i])

            def one(x, i=i):
                return tuple(_outputs(self.func(*self.inputs[:i], x, *self.inputs[i + 1:])))
            _, tangents = jvp(one, (self.inputs[i].detach(),), (wrap(direction),))
            for k, (have, want) in enumerate(zip(tangents, self.slope(i, direction))):
                if not np.allclose(have.detach()._array(), want, self.rtol, self.atol):
                    raise GradcheckError(
                        f"Jacobian computed with forward mode mismatch for output {k} with respect to input {i},\n"
                        f"numerical:{want}\nanalytical:{have.detach().tolist()}")

    def deterministic(self):
        """Two backward passes give the same gradients."""
        outs = _outputs(self.func(*self.inputs))
        for k, out in enumerate(outs):
            cotangent = _random(np.random.default_rng(0), out)
            for a, b in zip(self.gradients(outs, k, cotangent), self.gradients(outs, k, cotangent)):
                if not np.array_equal(a, b, equal_nan=True):
                    raise GradcheckError("Backward is not reentrant, i.e., running backward with same input and "
                                         "grad_output multiple times gives different values, although analytical "
                                         "gradient matches numerical gradient.")
