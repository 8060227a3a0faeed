"""What kobai says about the classic mistakes, compared with golden files in both languages.

To accept new texts after reading them: KOBAI_GOLDEN=write pytest tests/diagnose
"""
import os
import pathlib
import warnings

import mistakes
import pytest

HERE = pathlib.Path(__file__).parent
NAMES = [n for n, f in vars(mistakes).items() if callable(f) and getattr(f, "__module__", "") == "mistakes"]


def said(name):
    """Type and text of the error or warning, with the file's path shortened."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            getattr(mistakes, name)()
        except Exception as e:  # whatever it is, it is compared
            text = f"{type(e).__name__}: {e}"
        else:
            assert heard, f"{name} went unnoticed"
            text = f"{heard[0].category.__name__}: {heard[0].message}"
    return text.replace(str(HERE) + os.sep, "")


def read(language):
    parts = (HERE / f"golden_{language}.txt").read_text(encoding="utf-8").split("\n=== ")
    return dict(p.removeprefix("=== ").rstrip("\n").split("\n", 1) for p in parts)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_texts(language, monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", language)
    have = {name: said(name) for name in NAMES}
    if os.environ.get("KOBAI_GOLDEN") == "write":
        text = "\n".join(f"=== {n}\n{t}" for n, t in have.items()) + "\n"
        (HERE / f"golden_{language}.txt").write_text(text, encoding="utf-8")
    want = read(language)
    for name in NAMES:
        assert have[name] == want[name], name


def test_the_catalogue_is_complete():
    from kobai.diagnose.catalogue import CATALOGUE
    numbers = [e.number for e in CATALOGUE.values()]
    assert len(set(numbers)) == len(numbers)
    for code, entry in CATALOGUE.items():
        for texts in (entry.cause, entry.fix):
            assert len(texts) == 2 and all(texts), code
            assert any(ord(c) > 0x3000 for c in texts[1]) or texts[1] in ("{why}", "{fix}", "{instead}"), \
                f"{code}: the second text is Japanese"


def test_state_is_unchanged_after_an_error():
    """The rule comes from CONTRIBUTING: nothing is half-written."""
    import kobai
    w = kobai.ones(2, requires_grad=True)
    y = kobai.ones(3)
    for change in (lambda: w.add_(1), lambda: y.add_(kobai.ones(2, 3)), lambda: y.copy_(kobai.ones(4))):
        before = (w.tolist(), w._version, y.tolist(), y._version)
        with pytest.raises(RuntimeError):
            change()
        assert (w.tolist(), w._version, y.tolist(), y._version) == before
