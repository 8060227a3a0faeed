"""The page that ships is what web/ builds, and the file that holds it can be trusted."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from kobai.viewer.page import compact, embedded, html

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "src/kobai/viewer/page"
WEB = ROOT / "web"


@pytest.fixture(scope="module")
def node():
    """Node with the packages of the lock file, or a skip that names what is missing."""
    program = shutil.which("node")
    if not program:
        pytest.skip("there is no node")
    if not (WEB / "node_modules/esbuild").is_dir():
        pytest.skip("web/node_modules is missing (npm ci in web/)")
    return program


def test_the_lock_file_and_the_sources_give_the_file_that_ships(node, tmp_path):
    subprocess.run([node, "build.mjs", str(tmp_path)], cwd=WEB, check=True, timeout=120)
    for built in sorted(tmp_path.iterdir()):
        assert built.read_bytes() == (PAGE / built.name).read_bytes(), f"{built.name}: run `npm run build` in web/"


def test_the_types_are_right(node):
    checker = WEB / "node_modules/typescript/bin/tsc"
    if not checker.is_file():
        pytest.skip("typescript is missing (npm ci in web/)")
    done = subprocess.run([node, checker, "--noEmit"], cwd=WEB, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


def test_dependencies_are_pinned():
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        assert version == lock[f"node_modules/{name}"]["version"]
    assert all("integrity" in entry for name, entry in lock.items() if name)


def test_the_program_can_stand_in_a_page():
    """Nothing in it ends its element, and reading HTML (which replaces NUL and CR) leaves it as it is."""
    for name in ("viewer.js", "viewer.css"):
        text = (PAGE / name).read_bytes().decode("utf-8")
        assert "</script" not in text.lower() and "<!--" not in text and "</style" not in text.lower()
        assert "\0" not in text and "\r" not in text


def test_texts_never_become_markup_or_programs():
    """Of what we write; the page's policy refuses eval to all of it."""
    for path in (WEB / "src").iterdir():
        text = path.read_text(encoding="utf-8")
        for word in ("innerHTML", "dangerouslySetInnerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert word not in text, f"{path.name}: {word}"


def test_what_is_embedded_comes_back():
    value = {"text": "</script><!-- \u2028 & ' \" \ud800", "list": [0, 0.0, -1.5, "nan"]}
    text = embedded(value)
    assert json.loads(text) == value and "<" not in text and text.isascii()


def test_compact_keeps_numbers_and_drops_what_is_empty():
    assert compact({"a": 0, "b": None, "c": [], "d": {"e": 0.0, "f": False, "g": True}}) == {"a": 0, "d": {"e": 0.0, "g": True}}


def test_a_nonce_replaces_the_pages_own_policy():
    page = html({"nodes": []}, nonce="abc", live=True)
    assert page.count('nonce="abc"') == 3 and "Content-Security-Policy" not in page
    assert "default-src 'none'" in html({"nodes": []})
