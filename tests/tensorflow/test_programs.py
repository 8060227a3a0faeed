"""Whole TensorFlow programs, unmodified, under `kobai run`: they print what they print with TensorFlow 2.21 and Keras 3.15.

printed/ holds that (COLUMNS=80, TF_ENABLE_ONEDNN_OPTS=0, no GPU). Numbers may differ in the last digits; the rest is
compared as text.
"""
import os
import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
SOURCES = str(HERE.parents[1] / "src")
NUMBER = re.compile(r"[-+]?\d+\.\d*(?:e[-+]?\d+)?|\b(?:nan|inf)\b")


def run(program, folder):
    path = os.pathsep.join([SOURCES, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run([sys.executable, "-m", "kobai", "run", str(program)], capture_output=True, text=True, timeout=300,
                          cwd=folder, env={**os.environ, "PYTHONPATH": path, "KOBAI_LANG": "en", "COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("program", sorted((HERE / "programs").glob("*.py")), ids=lambda p: p.stem)
def test_prints_what_it_prints_with_tensorflow(program, tmp_path):
    ours = run(program, tmp_path)
    theirs = (HERE / "printed" / f"{program.stem}.txt").read_text(encoding="utf-8")
    ours, theirs = numbers_apart(ours), numbers_apart(theirs)
    for number, (a, b) in enumerate(zip(ours[0], theirs[0]), 1):
        assert a == b, f"after {number - 1} equal words"
    assert len(ours[0]) == len(theirs[0])
    for x, y in zip(ours[1], theirs[1]):
        assert x == pytest.approx(y, rel=2e-3, abs=2e-4, nan_ok=True)


def numbers_apart(text):
    """(words, numbers): arrays break their lines by the width of their numbers, so lines do not count."""
    return NUMBER.sub("#", text).split(), list(map(float, NUMBER.findall(text)))
