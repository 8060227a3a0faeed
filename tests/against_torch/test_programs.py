"""Whole PyTorch programs, unmodified: what they print under `kobai run` is what they print with PyTorch.

Numbers may differ in the last digits; everything else is compared as text.
"""
import pathlib
import re
import subprocess
import sys

import pytest

pytest.importorskip("torch")
PROGRAMS = sorted((pathlib.Path(__file__).parents[1] / "programs").glob("*.py"))
NUMBER = re.compile(r"[-+]?\d+\.\d*(?:e[-+]?\d+)?")


def printed(*command):
    result = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_prints_the_same(program):
    theirs = printed(str(program)).split("\n")
    ours = printed("-m", "kobai", "run", str(program)).split("\n")
    for number, (a, b) in enumerate(zip(ours, theirs), 1):
        if a == b:
            continue
        assert squeeze(NUMBER.sub("#", a)) == squeeze(NUMBER.sub("#", b)), f"line {number}:\n  kobai {a}\n  torch {b}"
        pairs = list(zip(map(float, NUMBER.findall(a)), map(float, NUMBER.findall(b))))
        assert all(abs(x - y) <= 2e-3 * max(1.0, abs(y)) for x, y in pairs), f"line {number}:\n  kobai {a}\n  torch {b}"
    assert len(ours) == len(theirs)


def squeeze(text):
    """Columns are padded by the widest number: spaces do not count where numbers differ."""
    return re.sub(r"\s+", "", text)
