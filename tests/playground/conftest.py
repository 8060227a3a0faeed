"""The playground in a real browser. Set up by what is there; what is missing is named where tests are skipped.

    node and playwright-core   npm ci in web/, or KOBAI_PLAYWRIGHT=<playwright-core's index.js>
    Chromium                   chromium or google-chrome on PATH, or KOBAI_CHROMIUM=<program>
    Pyodide                    KOBAI_PYODIDE=<folder with pyodide.mjs and the wheels of numpy and matplotlib>;
                               tools/fetch_pyodide.py makes one
"""
import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def pyodide():
    """The folder with Pyodide, or the reason why there is none."""
    folder = os.environ.get("KOBAI_PYODIDE")
    if not folder:
        return None, "KOBAI_PYODIDE names no folder with Pyodide (tools/fetch_pyodide.py makes one)"
    folder = Path(folder)
    for pattern in ("pyodide.mjs", "pyodide.asm.wasm", "numpy-*.whl", "matplotlib-*.whl"):
        if not any(folder.glob(pattern)):
            return None, f"there is no {pattern} in {folder}"
    return folder, ""


def browser():
    """(node, playwright-core's module, Chromium), or the reason why one is missing."""
    node = shutil.which("node")
    found = os.environ.get("KOBAI_PLAYWRIGHT", ROOT / "web/node_modules/playwright-core/index.js")
    chromium = os.environ.get("KOBAI_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not node:
        return None, "there is no node"
    if not Path(found).is_file():
        return None, "there is no playwright-core (npm ci in web/)"
    if not chromium:
        return None, "there is no Chromium"
    return (node, str(found), chromium), ""


class Site(http.server.SimpleHTTPRequestHandler):
    """The built site below /some/where/, as a plain web server gives it."""

    def do_GET(self):
        if self.path == "/stop":
            self.send_error(200)
            threading.Thread(target=self.server.shutdown).start()
            self.server.socket.close()
            return
        if not self.path.startswith("/some/where/"):
            self.send_error(404)
            return
        self.path = self.path.removeprefix("/some/where")
        super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def seen(tmp_path_factory):
    """What drive.mjs saw in the browser."""
    from kobai.playground.build import build

    tools, reason = browser()
    if tools is None:
        pytest.skip(reason)
    node, playwright, chromium = tools
    folder, _ = pyodide()
    site = tmp_path_factory.mktemp("site")
    build(site, str(folder) if folder else "./pyodide-is-not-here/")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=site))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}"
    settings = {"playwright": playwright, "chromium": chromium, "pyodide": folder is not None, "stop": f"{here}/stop",
                "pictures": os.environ.get("KOBAI_PICTURES", "")}
    done = subprocess.run([node, Path(__file__).with_name("drive.mjs"), f"{here}/some/where/", json.dumps(settings)],
                          capture_output=True, encoding="utf-8", timeout=600)
    server.server_close()
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def programs(seen):
    """What programs did in the browser."""
    _, reason = pyodide()
    if reason:
        pytest.skip(reason)
    return seen["programs"]
