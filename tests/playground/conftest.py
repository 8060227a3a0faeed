"""The playground in a real browser (tests/conftest.py says what that takes), and Pyodide in it.

Pyodide is looked for in KOBAI_PYODIDE, a folder with it and the wheels of NumPy and Matplotlib, which
tools/fetch_pyodide.py makes. Without it only the rest of the page is tested.
The pictures of docs/ are made by the same run: KOBAI_PICTURES=docs/pictures.
"""
import functools
import http.server
import json
import os
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for course.py
from course import PAGES, transcript


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
def seen(tmp_path_factory, chromium):
    """What drive.mjs saw in the browser."""
    from kobai.playground.build import build

    folder, _ = pyodide()
    site = tmp_path_factory.mktemp("site")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=site))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}"
    build(site, str(folder or f"{here}/some/where/no-pyodide/"))
    settings = {**chromium.settings, "pyodide": folder is not None, "stop": f"{here}/stop",
                "pictures": os.environ.get("KOBAI_PICTURES", ""),
                "pages": {name: transcript(page) for name, page in PAGES.items()}}
    driver = chromium.start(Path(__file__).with_name("drive.mjs"), f"{here}/some/where/", json.dumps(settings))
    try:
        found, errors = driver.communicate(timeout=1500)
    finally:
        driver.kill()
        server.server_close()
    assert driver.returncode == 0, errors[-3000:]
    return json.loads(found)


@pytest.fixture(scope="session")
def programs(seen):
    """What programs did in the browser."""
    _, reason = pyodide()
    if reason:
        pytest.skip(reason)
    return seen["programs"]
