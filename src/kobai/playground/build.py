"""Builds the playground: a folder of files that any web server can serve, at any path."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from importlib.resources import files
from pathlib import Path

from kobai.viewer import page

from .wheel import wheel_name, write_wheel

PYODIDE_VERSION = "314.0.3"
PYODIDE = f"https://cdn.jsdelivr.net/pyodide/v{PYODIDE_VERSION}/full/"
STATIC = ("app.js", "editor.js", "share.js", "style.css", "texts.js", "worker.js")
EXAMPLES = {
    "p1": ("A first gradient", "はじめての勾配"),
    "p2": ("The gradients of w * x + b", "w * x + b の勾配"),
    "p3": ("Linear regression by hand", "手で書く線形回帰"),
    "p4": ("Solving x² = 2 by gradient descent", "勾配降下法で x² = 2 を解く"),
    "p5": ("One neuron", "ニューロン一つ"),
    "p6": ("A picture of its graph", "その計算グラフの図"),
    "p7": ("Every activation function", "いろいろな活性化関数"),
    "p8": ("The derivative of a polynomial", "多項式の導関数"),
    "p9": ("The same with TensorFlow's names", "同じことを TensorFlow の書き方で"),
}


def build(folder: Path, pyodide: str = PYODIDE) -> None:
    """Write the site into `folder`, which is made if need be.

    Args:
        pyodide: address of Pyodide and its packages, or a folder with them, which is copied into the site.

    Raises:
        FileNotFoundError: `pyodide` is a folder without Pyodide.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if "://" not in pyodide:
        pyodide = _copy_pyodide(Path(pyodide), folder)
    for name in STATIC:
        (folder / name).write_bytes((files(__package__) / "site" / name).read_bytes())
    for old in folder.glob("kobai-*.whl"):
        old.unlink()
    write_wheel(folder / wheel_name())
    (folder / "examples.json").write_text(json.dumps(examples(), ensure_ascii=False), encoding="utf-8")
    settings = {"pyodide": pyodide, "wheel": wheel_name(), "policy": policy(pyodide)}
    _write_filled(folder / "index.html", settings)
    kept = sorted([*STATIC, "index.html", "examples.json", wheel_name()])
    _write_filled(folder / "sw.js", {"files": json.dumps(kept), "version": _digest(folder, kept), "pyodide": pyodide})


def examples() -> list[dict]:
    """The programs that the page offers."""
    folder = files(__package__) / "examples"
    return [{"id": name, "en": en, "ja": ja, "code": (folder / f"{name}.py").read_text(encoding="utf-8")}
            for name, (en, ja) in EXAMPLES.items()]


def policy(pyodide: str) -> str:
    """The site's Content-Security-Policy: its own files, Pyodide's place, and the viewer's script by its hash.

    The viewer is shown in a frame without an address, which inherits this policy.
    """
    origin = "/".join(pyodide.split("/")[:3]) if "://" in pyodide else ""
    script, style = viewer_hashes()
    return (
        f"default-src 'none'; script-src 'self' {origin} 'wasm-unsafe-eval' {script}; style-src 'self' {style}; "
        f"img-src 'self' data: blob:; connect-src 'self' {origin}; worker-src 'self' blob:; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'"
    )


def viewer_hashes() -> tuple[str, str]:
    """The hashes of the viewer's script and style, as its own page gives them."""
    text = page.html({"nodes": []})
    found = [re.search(rf"{kind}-src[^;]*?('sha256-[^']+')", text) for kind in ("script", "style")]
    return found[0][1], found[1][1]


def _copy_pyodide(source: Path, folder: Path) -> str:
    if not (source / "pyodide.mjs").is_file():
        raise FileNotFoundError(f"there is no pyodide.mjs in {source}")  # plain: of the command that builds the site
    shutil.copytree(source, folder / "pyodide", dirs_exist_ok=True)
    return "./pyodide/"


def _write_filled(target: Path, values: dict[str, str]) -> None:
    """A file of the site with `%name%` filled in."""
    text = (files(__package__) / "site" / target.name).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"%{name}%", value)
    target.write_text(text, encoding="utf-8")


def _digest(folder: Path, names: list[str]) -> str:
    """Changes when any file of the site does: the browser then fetches all of them anew."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode() + (folder / name).read_bytes())
    return digest.hexdigest()[:16]
