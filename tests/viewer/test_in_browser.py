"""What `kobai.view` serves, saves and puts into notebooks, in a real browser (see tests/conftest.py)."""
import json
from pathlib import Path

import pytest

import kobai

HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def look(chromium):
    """A function that opens an address, or waits for a text in the page that is open; what the browser saw."""
    driver = chromium.start(Path(__file__).with_name("drive_view.mjs"), json.dumps(chromium.settings))

    def look(line):
        driver.stdin.write(f"{line}\n")
        driver.stdin.flush()
        answer = driver.stdout.readline()
        assert answer, driver.stderr.read()[-2000:]
        seen = json.loads(answer)
        assert "error" not in seen, seen
        return seen

    yield look
    driver.stdin.close()
    driver.wait(30)


@pytest.fixture
def shown():
    w = kobai.tensor(2.0, requires_grad=True)
    shown = kobai.view((w * 3).exp(), params={HOSTILE: w}, title=HOSTILE, open=False, lang="en")
    yield shown
    shown.close()


def test_the_served_page_draws_the_graph_and_follows_it(look, shown):
    seen = look(shown.url)
    assert seen["complaints"] == [] and "exp" in seen["text"]
    assert "token" not in seen["url"] and seen["cookie"] == "", "neither the address nor scripts have the token"
    paths = {url.rpartition("/")[2].partition("?")[0] for url in seen["asked"] if not url.startswith(("blob:", "data:"))}
    assert paths <= {"", "events", "graph.json", "favicon.ico"}
    assert HOSTILE[:20] in seen["text"] and seen["title"] == HOSTILE  # (the node shows the beginning)
    shown.update(kobai.tensor(1.0, requires_grad=True).tanh())
    seen = look("tanh")
    assert "tanh" in seen["text"] and "exp" not in seen["text"] and seen["complaints"] == []


def test_the_saved_page_needs_no_network(look, shown, tmp_path):
    path = shown.save(tmp_path / "graph.html")
    seen = look(path.as_uri())
    assert seen["complaints"] == [] and "exp" in seen["text"]
    assert [url for url in seen["asked"] if not url.startswith(("blob:", "data:"))] == [path.as_uri()]


def test_the_frame_of_an_exported_notebook(look, shown, tmp_path):
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html><meta charset=utf-8><title>mine</title><p>Out[1]:</p>{shown._repr_mimebundle_()['text/html']}",
                        encoding="utf-8")
    seen = look(notebook.as_uri())
    assert seen["complaints"] == [] and "exp" in seen["text"] and seen["title"] == "mine"
    assert seen["reach"] == "SecurityError" and seen["cookie"] == "SecurityError", "the frame cannot reach the notebook"
