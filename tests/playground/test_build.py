"""The playground's files, and programs in its session: no browser needed."""
import json
import re
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest
from course import PAGES, agrees, language, transcript, wanted

import kobai
from kobai.playground.__main__ import main
from kobai.playground.build import build, examples
from kobai.viewer import page

SOURCES = str(Path(kobai.__file__).parents[1])
NUMPY_ALONE = "import sys\nfor name in ('ml_dtypes', 'scipy', 'llvmlite', 'pygraphviz', 'resvg_py'): sys.modules[name] = None\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    assert main(["build", str(folder), "--pyodide", "https://example.org/pyodide/v1/"]) == 0
    return folder


def python(folder, program):
    """What a program prints in a Python of its own."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=folder, capture_output=True, encoding="utf-8",
                          env={"PYTHONPATH": SOURCES, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "PATH": ""}, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_is_whole_and_kobai_runs_from_it_with_numpy_alone(site):
    [wheel] = site.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        record = archive.read(next(n for n in names if n.endswith("RECORD"))).decode()
    assert {line.split(",")[0] for line in record.splitlines()} == set(names)
    assert not [n for n in names if n.endswith(".pyc") or "/site/" in n]
    program = f"""
        sys.path.insert(0, {str(wheel)!r})
        import kobai
        from kobai import nn, optim
        net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
        optimizer = optim.Adam(net.parameters())
        net(kobai.ones(4, 2)).sum().backward()
        optimizer.step()
        print(kobai.__file__, kobai.vmap(kobai.func.grad(lambda x: x ** 3))(kobai.tensor([1., 2.])))
    """
    assert "py3-none-any.whl/kobai/__init__.py tensor([ 3., 12.])" in python(site, NUMPY_ALONE + textwrap.dedent(program))


def test_building_twice_gives_the_same_bytes(site, tmp_path):
    build(tmp_path, "https://example.org/pyodide/v1/")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {p.name: p.read_bytes() for p in site.iterdir()}


def test_the_policy_names_pyodides_place_and_the_viewer_by_hash(site):
    html = (site / "index.html").read_text(encoding="utf-8")
    policy = dict(rule.split(" ", 1) for rule in re.search(r'Policy" content="([^"]*)"', html)[1].split("; "))
    assert policy["default-src"] == "'none'" and "unsafe-inline" not in html
    hashes = re.findall(r"'sha256-[^']+'", page.html({"nodes": []}))
    assert len(hashes) == 2 and hashes[0] in policy["script-src"] and hashes[1] in policy["style-src"]
    assert "https://example.org" in policy["script-src"] and "https://example.org" in policy["connect-src"]
    assert 'name="kobai-pyodide" content="https://example.org/pyodide/v1/"' in html
    assert not re.search(r"<script(?![^>]*\bsrc=)", html), "no inline script"


def test_the_cache_knows_every_file_and_nothing_of_the_folders_owner(site, tmp_path):
    (tmp_path / "mine.txt").write_text("secret")
    build(tmp_path)
    worker = (tmp_path / "sw.js").read_text(encoding="utf-8")
    files = set(json.loads(re.search(r"FILES = (\[.*?\])", worker)[1]))
    assert files == {p.name for p in site.iterdir()} - {"sw.js"}
    assert "%" not in worker


def test_an_old_wheel_goes(tmp_path):
    (tmp_path / "kobai-0.0.1-py3-none-any.whl").write_text("old")
    build(tmp_path)
    assert len(list(tmp_path.glob("*.whl"))) == 1


def test_a_folder_without_pyodide(tmp_path, capsys):
    assert main(["build", str(tmp_path / "site"), "--pyodide", str(tmp_path)]) == 1
    assert "there is no pyodide.mjs" in capsys.readouterr().err


def test_pyodide_from_a_folder_is_copied_into_the_site(tmp_path):
    (tmp_path / "py").mkdir()
    (tmp_path / "py/pyodide.mjs").write_text("//")
    build(tmp_path / "site", str(tmp_path / "py"))
    assert (tmp_path / "site/pyodide/pyodide.mjs").is_file()
    assert 'content="./pyodide/"' in (tmp_path / "site/index.html").read_text()


def luminance(color):
    """Of WCAG 2: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(site, scheme):
    light, dark = re.findall(r":root \{(.*?)\}", (site / "style.css").read_text(encoding="utf-8"), re.S)
    colors = dict(re.findall(r"--([\w-]+): (#\w{6})", light if scheme == "light" else dark))
    pairs = [(name, back) for name in colors for back in ("back", "panel")
             if name not in ("back", "panel", "line", "on-main")] + [("on-main", "main")]
    for text, back in pairs:
        low, high = sorted([luminance(colors[text]), luminance(colors[back])])
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, back)


SESSION = NUMPY_ALONE + r"""
import json, re
from kobai.playground import session
seen = []
good = [session.run(p, LANG, lambda *what: seen.append(what)) for p in json.loads(PROGRAMS)]
print(json.dumps([good, [(kind, re.findall(r'"op":"(\w+)"', text) if kind == "graph" else text) for kind, text in seen]]), file=sys.__stdout__)
"""


def session(folder, *programs, lang="en"):
    """(whether each ended well, [(kind, text)] of what was shown)."""
    good, seen = json.loads(python(folder, f"PROGRAMS, LANG = {json.dumps(json.dumps(programs))}, {lang!r}\n{SESSION}").splitlines()[-1])
    return good, [tuple(pair) for pair in seen]


def test_output_and_errors_keep_their_order(tmp_path):
    good, seen = session(tmp_path, "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)\n4")
    assert good == [True] and seen == [("output", "1\n"), ("error", "2\n"), ("output", "3\n4\n")]


def test_each_program_has_its_own_names_and_lines(tmp_path):
    good, seen = session(tmp_path, "x = 1\n" * 3, "print('x' in globals(), __name__)\n\n1 / 0", "import sys; sys.exit(2)")
    assert good == [True, False, False]
    assert seen[0] == ("output", "False __main__\n")
    assert "line 3, in <module>\n    1 / 0" in seen[1][1] and "session.py" not in seen[1][1]


@pytest.mark.parametrize("example", [e for e in examples() if "matplotlib" not in e["code"]], ids=lambda e: e["id"])
def test_examples_run_with_numpy_alone(tmp_path, example):
    good, seen = session(tmp_path, example["code"])
    assert good == [True], seen
    assert [kind for kind, _ in seen][-1] == "graph" and not [t for kind, t in seen if kind == "error"]


def test_nothing_computed_shows_no_graph(tmp_path):
    assert session(tmp_path, "print(1)") == ([True], [("output", "1\n")])


def test_the_graph_is_the_recorded_one_or_the_one_that_was_asked_for(tmp_path):
    program = "import kobai\nw = kobai.tensor(2., requires_grad=True)\ny = w * 3\n{}\nz = y.exp().tanh()\nz.backward()\n{}"
    asked, last = "kobai.view(y)", "kobai.view(z)"
    for given, ops in [(("", ""), ["mul", "exp", "tanh"]), ((asked, ""), ["mul"]), ((asked, last), ["mul", "exp", "tanh"])]:
        assert session(tmp_path, program.format(*given)) == ([True], [("graph", ops)])


# ---- programs copied from a page -------------------------------------------------------------
def test_a_program_with_prompts_runs_as_it_would_behind_them(tmp_path):
    text = "\n>>> def f(x):\n...     return x + 1\n...\n>>> f(1)\n2\n>>> 1 / 0\nTraceback ...\n>>> for i in range(2):\n...     i\n0\n1\n"
    good, seen = session(tmp_path, text, "    >>> x = 1\n    >>> x\n    1\n", ">>> x =\n", "print('>>> 1')")
    assert good == [False, True, False, True]
    shown = "".join(t for _, t in seen)
    assert shown.startswith("2\nTraceback") and 'program.py", line 7' in shown and "session.py" not in shown
    assert "ZeroDivisionError: division by zero\n0\n1\n1\n" in shown and "SyntaxError" in shown and shown.endswith(">>> 1\n")


@pytest.mark.parametrize("name", PAGES)
def test_the_course_can_be_tried_in_the_playground(tmp_path, name):
    """docs/learn says that pages 1 to 5 can; the browser runs them too, see test_page.py."""
    good, seen = session(tmp_path, transcript(PAGES[name]), lang=language(name))
    assert agrees(wanted(PAGES[name]), "".join(text for kind, text in seen if kind in ("output", "error"))), seen
    assert good == [True]
