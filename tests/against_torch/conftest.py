"""A test with the argument `torch` is a program: it runs with PyTorch and with kobai, and the results are compared."""
import importlib
import re
import warnings

import numpy as np
import pytest

import kobai

PHRASE = 32  # characters of an error's first line that must agree: what people search for


@pytest.fixture
def torch():
    """PyTorch, then kobai: see `pytest_pyfunc_call`."""
    return pytest.importorskip("torch")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run a program with both modules and compare what they give."""
    if "torch" not in pyfuncitem.fixturenames:
        return None
    wanted = [n for n in pyfuncitem._fixtureinfo.argnames if n != "torch"]
    more = {n: pyfuncitem.funcargs[n] for n in wanted}
    theirs = outcome(pyfuncitem.obj, importlib.import_module("torch"), more)
    ours = outcome(pyfuncitem.obj, kobai, more)
    compare(ours, theirs)
    return True


def outcome(program, module, more=None):
    """What the program returns, described; or the error it raises; and what it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module.manual_seed(0)
        module.set_grad_enabled(True)
        try:
            return describe(program(module, **more or {}), module)
        except AssertionError:
            raise
        except Exception as e:
            if module is kobai and not isinstance(e, _EXPECTED):
                raise
            return raised(e)


_EXPECTED = (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError, AttributeError)


def raised(e):
    """An exception as ("raised", type, searchable phrase)."""
    first = str(e).strip().split("\n")[0]
    return "raised", type(e).__name__, re.sub(r"0x[0-9a-f]+", "0x", first)


def attempt(fn, *args, **kwargs):
    """The result of a call, or the description of its error: for programs that go on after it."""
    try:
        return fn(*args, **kwargs)
    except Exception as e:
        return raised(e)


@pytest.fixture(name="attempt")
def _attempt():
    return attempt


def describe(value, torch):
    """Tensors as (dtype, requires_grad, grad_fn, array), nodes as names, containers of these."""
    if isinstance(value, torch.Tensor):
        array = value.detach().resolve_conj().resolve_neg() if torch is not kobai else value.detach()
        array = array.float() if value.dtype == torch.bfloat16 else array
        return Described(str(value.dtype), value.requires_grad, kind_of(value.grad_fn), array.numpy().copy())
    if isinstance(value, dict):
        return {k: describe(v, torch) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple([describe(v, torch) for v in value])
    if value is None or isinstance(value, (bool, int, float, complex, str, np.ndarray)):
        return value
    if hasattr(value, "next_functions"):
        return kind_of(value)
    return str(value)


def kind_of(node):
    """The class name of a node; the helper class that PyTorch makes for Python functions has it too."""
    return None if node is None else type(node).__name__


class Described:
    """One tensor."""

    def __init__(self, dtype, requires_grad, node, array):
        self.dtype, self.requires_grad, self.node, self.array = dtype, requires_grad, node, array

    def __repr__(self):
        return f"({self.dtype}, requires_grad={self.requires_grad}, {self.node}, {self.array!r})"


def compare(ours, theirs, path="result"):
    """Fail where the two descriptions differ, and say where."""
    if isinstance(theirs, tuple) and theirs[:1] == ("raised",):
        assert isinstance(ours, tuple) and ours[:2] == theirs[:2], f"{path}: kobai {ours}, torch {theirs}"
        assert _phrase(ours[2]).lower() == _phrase(theirs[2]).lower(), f"{path}:\n kobai {ours[2]}\n torch {theirs[2]}"
    elif isinstance(theirs, Described):
        assert isinstance(ours, Described), f"{path}: kobai {ours}, torch {theirs}"
        same = (ours.dtype, ours.requires_grad, ours.node) == (theirs.dtype, theirs.requires_grad, theirs.node)
        assert same, f"{path}:\n kobai {ours}\n torch {theirs}"
        assert ours.array.shape == theirs.array.shape, f"{path}: kobai {ours.array.shape}, torch {theirs.array.shape}"
        close = dict(rtol=2e-3, atol=1e-3) if "16" in ours.dtype else dict(rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(ours.array, theirs.array, **close, err_msg=path)
    elif isinstance(theirs, tuple) and theirs[:1] == ("coarse",):
        assert isinstance(ours, tuple) and ours[:2] == theirs[:2], f"{path}: kobai {ours}, torch {theirs}"
        np.testing.assert_allclose(ours[2].array, theirs[2].array, rtol=0, atol=0.08, err_msg=path)
    elif isinstance(theirs, tuple):
        assert isinstance(ours, tuple) and len(ours) == len(theirs), f"{path}:\n kobai {ours}\n torch {theirs}"
        for i, (a, b) in enumerate(zip(ours, theirs)):
            compare(a, b, f"{path}[{i}]")
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs), f"{path}: kobai {list(ours)}, torch {list(theirs)}"
        for k in theirs:
            compare(ours[k], theirs[k], f"{path}[{k!r}]")
    elif isinstance(theirs, (float, complex, np.ndarray)):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6, err_msg=path)
    else:
        assert ours == theirs, f"{path}: kobai {ours!r}, torch {theirs!r}"


def _phrase(line):
    return re.sub(r"\d+", "#", line)[:PHRASE]
