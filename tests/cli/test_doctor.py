"""`kobai doctor` names what is missing and what that costs."""

import importlib.util

from kobai import doctor


def test_a_missing_package_is_named_with_its_cost(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "llvmlite" else find(name))
    monkeypatch.setattr(doctor, "_version", lambda package: None)
    monkeypatch.setenv("KOBAI_LANG", "en")
    assert doctor.doctor([]) == 0
    text = capsys.readouterr().out
    assert "llvmlite              missing" in text
    assert "without it: nothing is compiled" in text
    assert "-m pip install llvmlite" in text
    assert "Everything is there." not in text


def test_a_package_that_cannot_be_imported_is_broken(workshop):
    workshop.write("site/resvg_py.py", "raise OSError('made for another machine')\n")
    result = workshop.kobai("doctor")
    assert result.returncode == 1
    assert "its error: OSError: made for another machine" in result.stdout
    assert "--force-reinstall resvg_py" in result.stdout


def test_it_speaks_japanese(workshop):
    workshop.write("site/resvg_py.py", "raise OSError('made for another machine')\n")
    text = workshop.kobai("doctor", KOBAI_LANG="ja").stdout
    assert "故障" in text
    assert "図の保存は SVG のみ" in text
    assert "broken" not in text
