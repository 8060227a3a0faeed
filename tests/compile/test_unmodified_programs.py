"""Whole programs with `torch.compile` around each of their models print what they print without.

The numbers may differ in the last digits: what is recorded adds up in another order.
"""
import ast
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PROGRAMS = [p for p in sorted((ROOT / "tests" / "programs").glob("*.py")) if "nn." in p.read_text(encoding="utf-8")]
NUMBER = re.compile(r"[-+]?\d+\.\d*(?:e[-+]?\d+)?")
MODELS = re.compile(r"(Net|Model|GPT|Sequential|LSTM|GRU|Attention|EncoderLayer|Embedding|LayerNorm)$")


def with_compile(text):
    """The program with `name = Model(...)` as `name = torch.compile(Model(...))`, and how often."""
    lines, found = text.split("\n"), []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name) \
                and MODELS.search(ast.unparse(node.value.func)):
            found.append(node.value)
    for call in sorted(found, key=lambda c: -c.lineno):
        end, start = call.end_lineno - 1, call.lineno - 1
        lines[end] = lines[end][:call.end_col_offset] + ")" + lines[end][call.end_col_offset:]
        lines[start] = lines[start][:call.col_offset] + "torch.compile(" + lines[start][call.col_offset:]
    return "\n".join(lines), len(found)


def printed(program, *arguments, cwd=None):
    result = subprocess.run([sys.executable, "-m", "kobai", "run", str(program), *arguments], capture_output=True, text=True,
                            timeout=200, cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
    assert result.returncode == 0, result.stderr
    return result.stdout.replace(str(program), "PROGRAM").split("\n")


def compare(plain, other, tolerance):
    for number, (a, b) in enumerate(zip(plain, other, strict=True), 1):
        assert _squeeze(NUMBER.sub("#", a)) == _squeeze(NUMBER.sub("#", b)), f"line {number}:\n  as it is {a}\n  compiled {b}"
        pairs = zip(map(float, NUMBER.findall(a)), map(float, NUMBER.findall(b)))
        assert all(abs(x - y) <= tolerance * max(1.0, abs(x)) for x, y in pairs), f"line {number}:\n  {a}\n  {b}"


def _squeeze(text):
    return re.sub(r"\s+", "", re.sub(r"0x[0-9a-f]+", "0x", text))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_prints_the_same(program, tmp_path):
    text, count = with_compile(program.read_text(encoding="utf-8"))
    if not count:
        pytest.skip("no model in it")
    other = tmp_path / program.name
    other.write_text(text, encoding="utf-8")
    compare(printed(program, cwd=tmp_path), printed(other, cwd=tmp_path), 2e-3)
