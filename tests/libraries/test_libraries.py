"""Libraries that sit on PyTorch's public API, unmodified, under `kobai run`: they print what they print with PyTorch.

printed/ holds what PyTorch 2.13 gave (record.py). Numbers may differ in the last digits; the rest is compared as text.
"""
import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
SOURCES = str(HERE.parents[1] / "src")
NUMBER = re.compile(r"[-+]?\d+\.\d*(?:e[-+]?\d+)?")
NEEDS = {"einops_layers": "einops", "safetensors_files": "safetensors", "torchdiffeq_solvers": "torchdiffeq",
         "torchmetrics_scores": "torchmetrics", "train_gpt": "ml_dtypes"}
PROGRAMS = sorted((HERE / "programs").glob("*.py"))
# bfloat16 has three digits, and the norm of a gradient fewer.
TOLERANCE = {"train_gpt": 2e-2}


def run(program, *arguments):
    path = os.pathsep.join([SOURCES, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run([sys.executable, "-m", "kobai", "run", str(program), *arguments], capture_output=True, text=True,
                          timeout=300, env={**os.environ, "PYTHONPATH": path, "KOBAI_LANG": "en"})
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_prints_what_it_prints_with_pytorch(program):
    if importlib.util.find_spec(NEEDS[program.stem]) is None:
        pytest.skip(f"needs {NEEDS[program.stem]}")
    expected = (HERE / "printed" / f"{program.stem}.txt").read_text(encoding="utf-8").splitlines()
    compare(run(program), expected, TOLERANCE.get(program.stem, 1e-3))


@pytest.mark.parametrize("arguments", [("--no-compile",), ("--dtype", "float32"), ("--dtype", "float16", "--no-compile")], ids=" ".join)
def test_training_by_other_arguments(arguments):
    """Other dtypes, eager or compiled: the same losses, to the digits that bfloat16 has."""
    pytest.importorskip("ml_dtypes")
    expected = (HERE / "printed" / "train_gpt.txt").read_text(encoding="utf-8").splitlines()
    compare(run(HERE / "programs" / "train_gpt.py", *arguments), expected, 2e-2)


def compare(ours, theirs, tolerance):
    """Line by line: numbers with a fractional part to the tolerance, everything else as text."""
    for number, (a, b) in enumerate(zip(ours, theirs), 1):
        where = f"line {number}:\n  kobai {a}\n  torch {b}"
        assert bare(a) == bare(b), where
        for x, y in zip(map(float, NUMBER.findall(a)), map(float, NUMBER.findall(b))):
            assert abs(x - y) <= tolerance * max(1.0, abs(y)), where
    assert len(ours) == len(theirs)


def bare(line):
    """The line without its numbers and spaces: columns are padded by the widest number."""
    return re.sub(r"\s+", "", NUMBER.sub("#", line))
