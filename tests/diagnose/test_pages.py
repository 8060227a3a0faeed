"""Every code has a page whose wrong program raises exactly that code and whose mended one runs.

To accept new texts after reading them: KOBAI_GOLDEN=write pytest tests/diagnose
"""
import os
import pathlib
import re

import pytest

from kobai.cli import main
from kobai.diagnose.catalogue import CATALOGUE
from kobai.diagnose.examples import EXAMPLES
from kobai.diagnose.pages import contents, page, run_example

HERE = pathlib.Path(__file__).parent
NUMBERS = sorted(EXAMPLES)


def test_every_error_has_an_example_and_the_other_way_round():
    assert NUMBERS == sorted(e.number for e in CATALOGUE.values())


@pytest.mark.parametrize("number", NUMBERS)
def test_the_wrong_program_raises_its_code(number, monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "en")
    entry = next(e for e in CATALOGUE.values() if e.number == number)
    said = run_example(EXAMPLES[number][0], "wrong.py")
    kind = entry.type is Exception  # whose type and first line are those of the place that raises
    assert kind or said.startswith(entry.type.__name__ + ": ")
    assert said.rstrip().endswith(f"[{number}]  kobai help {number}")
    fixed_part = re.split(r"\{.*?\}", entry.first)[0]
    assert kind or said.split(": ", 1)[1].startswith(fixed_part)
    assert "?" not in said.split("\n")[1] or "?" in entry.cause[0], "a fact is missing"
    assert "  here: wrong.py:" in said


@pytest.mark.parametrize("number", NUMBERS)
def test_the_mended_program_runs(number):
    assert run_example(EXAMPLES[number][1], "mended.py") is None


@pytest.mark.parametrize("language", ["en", "ja"])
def test_pages(language, monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", language)
    have = "\n".join([contents(), *map(page, NUMBERS)])
    file = HERE / f"golden_pages_{language}.txt"
    if os.environ.get("KOBAI_GOLDEN") == "write":
        file.write_text(have, encoding="utf-8")
    assert have == file.read_text(encoding="utf-8")


def test_the_command(monkeypatch, capsys):
    monkeypatch.setenv("KOBAI_LANG", "en")
    assert main(["help", "k111"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("K111  RuntimeError\n") and "requires_grad=True" in out
    assert main(["help"]) == 0
    assert len(re.findall(r"^K\d+  ", capsys.readouterr().out, re.MULTILINE)) == len(CATALOGUE)
    assert main(["help", "K999"]) == 2
    assert "There is no error K999" in capsys.readouterr().out
    monkeypatch.setenv("KOBAI_LANG", "ja")
    assert main(["help", "K111"]) == 0
    assert "間違った例:" in capsys.readouterr().out
