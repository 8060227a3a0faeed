"""`same(line)`: a line of Python gives the same text in kobai and in PyTorch, errors included."""
import array
import copy
import math
import pickle
import re
import warnings

import numpy as np
import pytest

import kobai


def outcome(line, package):
    """What the value of the line prints, with dtype and shape; or the error's type and first line.

    Statements before the last semicolon come first.
    """
    package.manual_seed(0)
    scope = {"torch": package, "np": np, "array": array, "copy": copy, "pickle": pickle, "math": math}
    *before, value = line.rsplit(";", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if before:
                exec(before[0].strip(), scope)
            got = eval(value.strip(), scope)
            text = repr(got)
            if hasattr(got, "dtype") and hasattr(got, "shape"):
                text += f" {got.dtype} {tuple(got.shape)}"
        except Exception as e:
            text = f"{type(e).__name__}: {str(e).partition(chr(10))[0]}"
    return re.sub(r"0x[0-9a-f]+", "0x", text.strip())


@pytest.fixture
def same():
    torch = pytest.importorskip("torch")

    def check(line):
        assert outcome(line, kobai) == outcome(line, torch)
    return check
