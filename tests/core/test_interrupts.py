"""Ctrl-C, or no more memory, at any moment: what is on in a thread or for all of them is as it was, and works."""
import os
import sys

import pytest

import kobai
from kobai import func, nn, op
from kobai.autograd import engine
from kobai.autograd.mode import _Modes, modes
from kobai.ops.elementwise import Mul

PACKAGE = os.path.dirname(kobai.__file__)


def autocast():
    with kobai.autocast("cpu", dtype=kobai.bfloat16):
        return nn.functional.linear(kobai.ones(1, 2), kobai.ones(1, 2)).float().sum()


def anomaly():
    with kobai.autograd.detect_anomaly():
        x = kobai.ones(2, requires_grad=True)
        (x * x).sum().backward()
    return x.grad.sum()


def transform():
    return func.vmap(func.grad(lambda v: v * v))(kobai.ones(3)).sum()


def forward_mode():
    return func.jvp(lambda v: v * v, (kobai.ones(3),), (kobai.ones(3),))[1].sum()


def checkpoint():
    x = kobai.ones(2, requires_grad=True)
    kobai.utils.checkpoint.checkpoint(lambda v: v * v, x, use_reentrant=False).sum().backward()
    return x.grad.sum()


def grad_modes():
    with kobai.no_grad(), kobai.inference_mode(), kobai.enable_grad():
        return (kobai.ones(2) * 2).sum()


def in_place():
    x = kobai.ones(4, requires_grad=True)
    y = x * 2
    y[1:3].mul_(3)
    y.sum().backward()
    return x.grad.sum()


def profile():
    with kobai.profiler.profile():
        return kobai.ones(3).exp().sum()


def state():
    """What is on, for this thread or for all."""
    on = {name: getattr(modes, name) for name in vars(_Modes) if not name.startswith("__")}
    return on | {"recorders": op._recorders, "watched": int(op.watched[0]), "call": nn.Module.__call__, "mul": Mul.forward,
                 "propagate": engine.propagate, "profiles": kobai.profiler._clock.running}


def interrupted(job, at, kind):
    """Run `job` with an error as one of kobai's functions is entered, where Python looks for signals; where, if so far."""
    left, where = at, ""

    def call(frame, event, arg):
        nonlocal left, where
        if frame.f_code.co_filename.startswith(PACKAGE) and not is_leaving(frame):
            left -= 1
            if not left:
                where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                raise kind
    before = sys.gettrace()
    sys.settrace(call)
    try:
        job()
    except kind:
        pass
    finally:
        sys.settrace(before)
    return where


def is_leaving(frame):
    """Whether a `with` is being left: nobody could undo what is not undone then."""
    while frame is not None and frame.f_code is not interrupted.__code__:
        if frame.f_code.co_name in ("__exit__", "stop"):
            return True
        frame = frame.f_back
    return False


@pytest.mark.parametrize("job", [autocast, anomaly, transform, forward_mode, checkpoint, grad_modes, in_place, profile])
@pytest.mark.filterwarnings("ignore:Anomaly Detection", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_leaves_nothing_on(job):
    want, clean = job().item(), state()
    for kind in (KeyboardInterrupt, MemoryError):
        at = 1
        while where := interrupted(job, at, kind):
            now = state()
            assert now == clean, (where, {k: v for k, v in now.items() if v != clean[k]})
            at += 1 if at < 150 else 37
        assert at > 5
    assert job().item() == want
