"""A real browser for the tests that drive pages; no search among what tests of other files left; examples of Hypothesis.

These are the same in each run, so that a test that passes here passes elsewhere: `pytest --hypothesis-profile=default` looks
for others.
"""
import gc
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
if importlib.util.find_spec("hypothesis"):
    from hypothesis import settings
    settings.register_profile("same", derandomize=True)
    settings.load_profile("same")


@pytest.fixture(autouse=True, scope="module")
def others_objects_are_not_looked_at():
    """Who asks which objects hold a tensor looks at all there are: here at a million of tests, a hundred times slower."""
    gc.collect()
    gc.freeze()


class Chromium:
    """Runs a script of Node that drives a browser; `settings` says where the parts are."""

    def __init__(self, node: str, playwright: str, program: str):
        self.node = node
        self.settings = {"playwright": playwright, "chromium": program}

    def start(self, script: Path, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen([self.node, str(script), *arguments], encoding="utf-8", stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture(scope="session")
def chromium():
    """The browser, or a skip that names what is missing.

    node and playwright-core: `npm ci` in web/, or KOBAI_PLAYWRIGHT=<playwright-core's index.js>. Chromium: `chromium`
    or `google-chrome` on PATH, or KOBAI_CHROMIUM=<program>.
    """
    node = shutil.which("node")
    playwright = os.environ.get("KOBAI_PLAYWRIGHT", ROOT / "web/node_modules/playwright-core/index.js")
    program = os.environ.get("KOBAI_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not node:
        pytest.skip("there is no node")
    if not Path(playwright).is_file():
        pytest.skip("there is no playwright-core (npm ci in web/)")
    if not program:
        pytest.skip("there is no Chromium")
    return Chromium(node, str(playwright), program)
