"""Explanations of small programs, compared with golden files in both languages.

To accept new texts after reading them: KOBAI_GOLDEN=write pytest tests/diagnose
"""
import gc
import os
import pathlib

import explanations
import pytest

HERE = pathlib.Path(__file__).parent
NAMES = [n for n, f in vars(explanations).items() if callable(f) and getattr(f, "__module__", "") == "explanations"]


def told(name):
    gc.collect()  # graphs of other tests
    answer = getattr(explanations, name)()
    return str(answer[0] if isinstance(answer, tuple) else answer)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_texts(language, monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", language)
    have = {name: told(name) for name in NAMES}
    file = HERE / f"golden_explanations_{language}.txt"
    if os.environ.get("KOBAI_GOLDEN") == "write":
        file.write_text("\n".join(f"=== {n}\n{t}" for n, t in have.items()) + "\n", encoding="utf-8")
    parts = file.read_text(encoding="utf-8").split("\n=== ")
    want = dict(p.removeprefix("=== ").rstrip("\n").split("\n", 1) for p in parts)
    for name in NAMES:
        assert have[name].strip() == want[name].strip(), name
