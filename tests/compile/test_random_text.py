"""Random programs, eager and compiled; between their calls parameters, arguments and variables change.

The expected results are those of the same program run eagerly. `python tests/compile/test_random_text.py 1000 2000` tries more.
"""
import linecache
import types

import pytest
from eager_and_compiled import attempt, reasons
from random_programs import program

import kobai as torch
import kobai.nn.functional as F
from kobai import nn


def copied(v):
    """The tensors as they are now."""
    return [copied(x) for x in v] if isinstance(v, (list, tuple)) else v.detach().clone() if isinstance(v, torch.Tensor) else v


def run(seed):
    """Why the program runs eagerly, if it does."""
    text, name = program(seed), f"<program {seed}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    space = {"torch": torch, "F": F, "nn": nn, "types": types, "attempt": attempt, "copied": copied, "__name__": "random"}
    exec(compile(text, name, "exec"), space)
    return reasons(space["case"], 1e-3)


@pytest.mark.parametrize("seed", range(40))
def test_program(seed):
    run(seed)


def test_most_are_recorded():
    """A search among programs that all run eagerly would find nothing."""
    found = [run(seed) for seed in range(12)]
    assert sum(r == [None] for r in found) >= 4, found


if __name__ == "__main__":
    import sys
    for seed in range(*map(int, sys.argv[1:])):
        try:
            run(seed)
        except AssertionError as e:
            print(seed, str(e).strip().split("\n")[:4])
