"""Running programs in processes of their own, with and without kobai."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SOURCES = str(Path(__file__).parents[2] / "src")


class Workshop:
    """A folder with programs in it, and a stand-in for an installed PyTorch that must not be imported."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.installed = folder / "site"
        self.write("site/torch/__init__.py", "__version__ = 'not kobai'\n")
        self.write("site/torch/nn.py", "Linear = 'not kobai'\n")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def python(self, *arguments, stdin=None, **variables) -> subprocess.CompletedProcess:
        """Run Python in the folder, with kobai and the stand-in installed."""
        ours = ("KOBAI_", "PYTHON", "LC_", "LANG")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        path = os.pathsep.join([SOURCES, str(self.installed)])
        environment = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.folder, env={**inherited, **environment, "KOBAI_LANG": "en", **variables}, input=stdin,
            capture_output=True, encoding="utf-8", timeout=120,
        )  # fmt: skip

    def kobai(self, *arguments, **more) -> subprocess.CompletedProcess:
        return self.python("-m", "kobai", *arguments, **more)

    def output(self, text: str, *arguments, **more) -> str:
        """What a program prints under `kobai run`; it must succeed."""
        self.write("program.py", text)
        result = self.kobai("run", "program.py", *arguments, **more)
        assert result.returncode == 0, result.stderr
        return result.stdout


@pytest.fixture
def workshop(tmp_path):
    return Workshop(tmp_path)
