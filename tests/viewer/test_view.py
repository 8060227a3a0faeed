"""`kobai.view` and `kobai view`: pages, files, notebooks, and browsers that are asked to open."""
import html
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
import types
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

import kobai
from kobai.viewer import view as views
from kobai.viewer.model import describe
from kobai.viewer.record import Recording

SOURCES = str(Path(kobai.__file__).parents[1])
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&"
posix = pytest.mark.skipif(os.name != "posix", reason="the stand-in for a browser is a program of POSIX")


@pytest.fixture
def loss():
    w = kobai.tensor(2.0, requires_grad=True)
    return (w * 3 - 1) ** 2


class Page(HTMLParser):
    """The elements of a page, with their attributes; and the graph in it."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.inside, self.graph = [], None, ""
        self.feed(text)
        self.graph = json.loads(self.graph) if self.graph else None

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.inside = dict(attributes).get("id") if tag == "script" else None

    def handle_data(self, data):
        if self.inside == "graph":
            self.graph += data

    def handle_endtag(self, tag):
        self.inside = None

    def tags(self):
        return {tag for tag, _ in self.elements}


def ops(graph):
    """The operations of a graph as the page gets it, which is without empty fields."""
    return {n["op"] for n in graph["nodes"] if "op" in n}


def test_the_graph_is_read_when_view_is_called():
    w = kobai.tensor(2.0, requires_grad=True)
    shown = kobai.view(w * 3, open=False)
    with kobai.no_grad():
        w += 40
    [node] = [n for n in shown.description["nodes"] if n["name"] == "w"]
    assert node["value"]["data"] == [2.0]


def test_names_are_those_of_the_caller_and_params(loss):
    one = kobai.tensor(1.0, requires_grad=True)
    other = kobai.tensor(1.0, requires_grad=True)
    shown = kobai.view(one * other, params={"second": other}, open=False)
    assert {"one", "second"} <= {n["name"] for n in shown.description["nodes"]}


def test_a_model_is_called_once(loss):
    calls = []

    class Model(kobai.nn.Module):
        def forward(self, x, scale=1.0):
            calls.append(scale)
            return x * scale

    shown = kobai.view(Model(), kobai.ones(2), scale=3.0, open=False)
    shown._repr_mimebundle_()
    assert calls == [3.0] and "mul" in {n["op"] for n in shown.description["nodes"]}


def test_a_recording_shows_its_training_steps():
    x = kobai.tensor([1.0], requires_grad=True)
    with Recording() as steps:
        for _ in range(3):
            x.grad = None
            ((x ** 2 - 2) ** 2).sum().backward()
    description = kobai.view(steps, open=False).description
    assert [s["grads"][0]["data"] for s in description["training"]["steps"]] == [[-4.0]] * 3
    assert description["backward"]


@pytest.mark.parametrize("nothing", [3, None, [], "text"])
def test_nothing_to_show(nothing):
    with pytest.raises(TypeError, match=r"view\(\): argument 'what' must be a Tensor"):
        kobai.view(nothing, open=False)


def test_a_saved_page_is_one_file_that_needs_nothing(loss, tmp_path):
    path = kobai.view(loss, open=False, title=HOSTILE).save(tmp_path / "graph.html")
    page = Page(path.read_text(encoding="utf-8"))
    assert page.graph["title"] == HOSTILE and len(page.graph["nodes"]) == 4
    assert page.tags() <= {"html", "head", "meta", "title", "style", "body", "div", "script"}
    assert not [a for _, attributes in page.elements for a in attributes if a in ("src", "href")]


def test_a_page_that_cannot_be_written(loss, tmp_path):
    with pytest.raises(OSError):
        kobai.view(loss, open=False).save(tmp_path / "no folder" / "graph.html")


def test_the_page_in_a_notebook_is_a_sandboxed_frame(loss):
    shown = kobai.view(loss, open=False, params={HOSTILE: loss}, title=HOSTILE)
    bundle = shown._repr_mimebundle_()
    [(tag, frame)] = Page(bundle["text/html"]).elements
    assert tag == "iframe" and frame["sandbox"] == "allow-scripts allow-downloads"
    assert frame["srcdoc"] == shown.html() and frame["title"] == HOSTILE
    assert Page(frame["srcdoc"]).graph["title"] == HOSTILE
    picture = ElementTree.fromstring(bundle["image/svg+xml"])
    assert {e.tag.rpartition("}")[2] for e in picture.iter()}.isdisjoint({"script", "img", "foreignObject"})
    assert "</script><img" in "".join(picture.itertext()), "the name is there, as text"
    assert bundle["text/plain"] == "<kobai.view: 4 nodes>"


def test_a_large_graph_has_no_still_picture():
    x = kobai.tensor(1.0, requires_grad=True)
    for _ in range(500):
        x = x + 1
    assert "image/svg+xml" not in kobai.view(x, open=False)._repr_mimebundle_()


def fetch(url, path):
    """What a browser that follows `url` finds at `path`."""
    host, _, rest = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request("GET", "/" + rest)
    cookie = connection.getresponse().headers["Set-Cookie"].partition(";")[0]
    connection.close()
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    assert answer.status == 200
    return answer.read().decode()


def test_the_served_page_follows_update(loss):
    shown = kobai.view(loss, open=False)
    try:
        page = Page(fetch(shown.url, "/"))
        assert page.graph["live"] is True and len(page.graph["nodes"]) == 4
        renamed = kobai.tensor(1.0, requires_grad=True)
        shown.update(renamed.exp())
        nodes = json.loads(fetch(shown.url, "/graph.json"))["nodes"]
        assert [n.get("op") or n.get("name") for n in nodes] == ["renamed", "exp"]
    finally:
        shown.close()
    with pytest.raises(ConnectionRefusedError):
        fetch(shown._serve().url.replace(str(shown._serve().port), str(1)), "/")
    shown.close()


def test_where_there_is_no_display_no_browser_takes_the_terminal(monkeypatch, loss, capsys):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(views.webbrowser, "open", lambda url: pytest.fail("a browser was opened"))
    shown = kobai.view(loss, open=False, lang="en")
    assert shown.open() is False
    assert shown.url in capsys.readouterr().err
    shown.close()


def test_in_a_notebook_nothing_opens_by_itself(monkeypatch, loss):
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(views, "SOON", 0.0)
    monkeypatch.setattr(views.View, "open", lambda self: pytest.fail("opened"))
    shown = kobai.view(loss)
    time.sleep(0.05)
    assert shown._timer is None and "text/html" in shown._repr_mimebundle_()


def test_import_kobai_does_not_import_the_viewer():
    program = "import sys, kobai; print([m for m in sys.modules if m.startswith(('kobai.viewer', 'http.', 'webbrowser'))])"
    assert python(Path(), "-c", program).stdout == "[]\n"


# ---- whole programs --------------------------------------------------------------------------
BROWSER = """\
#!{python}
import http.client, sys
url = sys.argv[1]
host, _, rest = url.removeprefix("http://").partition("/")
connection = http.client.HTTPConnection(host, timeout=10)
connection.request("GET", "/" + rest)
cookie = connection.getresponse().headers["Set-Cookie"].partition(";")[0]
connection.close()
connection.request("GET", "/", headers={{"Cookie": cookie}})
open({visits!r}, "a").write(connection.getresponse().read().decode() + "\\f")
"""


@pytest.fixture
def browser(tmp_path):
    """The environment with a browser that writes down what it is shown, and a function that gives what it saw."""
    program, visits = tmp_path / "browser", tmp_path / "visits"
    program.write_text(BROWSER.format(python=sys.executable, visits=str(visits)))
    program.chmod(0o755)
    return {"BROWSER": f"{program} %s"}, lambda: [
        Page(text).graph for text in visits.read_text().split("\f")[:-1]] if visits.exists() else []


def environment(**variables):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("KOBAI_", "PYTHON", "BROWSER", "DISPLAY", "WAYLAND", "WSL"))}
    return {**inherited, "PYTHONPATH": SOURCES, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "KOBAI_LANG": "en",
            **variables}


def python(folder, *arguments, **variables):
    return subprocess.run([sys.executable, *map(str, arguments)], cwd=folder, env=environment(**variables),
                          capture_output=True, encoding="utf-8", timeout=120)


def program(folder, text):
    (folder / "program.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return folder / "program.py"


@posix
def test_a_program_that_ends_at_once_still_shows_its_page(tmp_path, browser):
    variables, visits = browser
    text = "import kobai\nw = kobai.tensor(2., requires_grad=True)\nkobai.view(w * 3)\n"
    done = python(tmp_path, program(tmp_path, text), **variables)
    assert (done.returncode, done.stderr) == (0, "")
    [graph] = visits()
    assert ops(graph) == {"mul"}


@posix
def test_saving_opens_nothing(tmp_path, browser):
    variables, visits = browser
    text = "import kobai\nw = kobai.tensor(2., requires_grad=True)\nkobai.view(w * 3).save('graph.html')\n"
    done = python(tmp_path, program(tmp_path, text), **variables)
    assert (done.returncode, done.stderr) == (0, "") and visits() == []
    assert Page((tmp_path / "graph.html").read_text(encoding="utf-8")).graph["nodes"]


@posix
def test_a_line_in_a_loop_has_one_page(tmp_path, browser):
    variables, visits = browser
    text = """
        import time, kobai
        pages = set()
        for i in range(4):
            w = kobai.tensor(float(i), requires_grad=True)
            pages.add(kobai.view(w * 3))
            time.sleep(0.2)
        print(len(pages))
    """
    done = python(tmp_path, program(tmp_path, text), **variables)
    assert done.stdout == "1\n" and len(visits()) == 1


def test_a_loop_without_a_browser_says_so_once(tmp_path):
    text = """
        import time, kobai
        for i in range(4):
            w = kobai.tensor(float(i), requires_grad=True)
            kobai.view(w * 3)
            time.sleep(0.4)
    """
    done = python(tmp_path, program(tmp_path, text))
    assert done.returncode == 0 and done.stderr.count("the graph is at") == (sys.platform not in ("win32", "darwin"))


TRAINING = """
    import sys, torch
    x = torch.tensor([1.0], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.01)
    for i in range(5):
        optimizer.zero_grad()
        loss = ((x ** 2 - 2) ** 2).sum()
        loss.backward()
        optimizer.step()
    print(sys.argv[1:])
    sys.exit(3)
"""


def test_kobai_view_saves_the_graph_and_the_steps_of_a_program(tmp_path):
    done = python(tmp_path, "-m", "kobai", "view", "--save", "out.html", program(tmp_path, TRAINING), "--save", "mine")
    assert done.returncode == 3 and done.stdout == "['--save', 'mine']\n"
    assert done.stderr == "kobai: the graph is in out.html\n"
    graph = Page((tmp_path / "out.html").read_text(encoding="utf-8")).graph
    assert graph["title"] == "program.py" and "pow" in ops(graph)
    steps = graph["training"]["steps"]
    assert [s["step"] for s in steps] == [1, 2, 3, 4, 5]
    # (x² - 2)² at x = 1 is 1, its derivative 4x(x² - 2) is -4
    assert steps[0]["loss"] == 1.0 and steps[0]["grads"][0]["data"] == [-4.0] and steps[0]["values"][0]["data"] == [1.0]


def not_ignored():
    """Programs take Ctrl-C, also where the tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@posix
def test_kobai_view_serves_until_it_is_interrupted(tmp_path, browser):
    variables, visits = browser
    running = subprocess.Popen([sys.executable, "-m", "kobai", "view", program(tmp_path, TRAINING)], cwd=tmp_path,
                               env=environment(**variables), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               encoding="utf-8", preexec_fn=not_ignored)
    try:
        for line in running.stderr:
            if line.startswith("kobai: the program has ended; its graph stays at"):
                break
        url = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line)[0]
        graph = json.loads(fetch(url, "/graph.json"))
        assert len(graph["training"]["steps"]) == 5 and running.poll() is None
        deadline = time.monotonic() + 10
        while not visits() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(visits()) == 1
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 3, "the program's own status"
    finally:
        running.kill()


def test_an_error_in_the_program_is_shown_and_so_is_its_graph(tmp_path):
    text = "import torch\nw = torch.ones(2, requires_grad=True)\n(w * 2).backward()\n"
    done = python(tmp_path, "-m", "kobai", "view", "--save", "out.html", program(tmp_path, text))
    assert done.returncode == 1 and "grad can be implicitly created only for scalar outputs" in done.stderr
    assert "mul" in ops(Page((tmp_path / "out.html").read_text(encoding="utf-8")).graph)


def test_steps_that_were_told_are_not_described_again():
    """What a look at a running program costs does not grow with the steps that it has made."""
    w = kobai.tensor([1.0, 2.0], requires_grad=True)
    with Recording() as recording:
        for _ in range(3):
            (w * w).sum().backward()
        first = describe(recording)["training"]["steps"]
        (w * w).sum().backward()
        second = describe(recording)["training"]["steps"]
    assert [len(first), len(second)] == [3, 4]
    assert all(a["values"][0] is b["values"][0] and a["grads"][0] is b["grads"][0] for a, b in zip(first, second))


@pytest.mark.parametrize("arguments, reason", [
    ([], "`kobai view` needs a program"), (["--save"], "`kobai view` needs a program"), (["-m"], "`kobai view` needs a program"),
    (["--nonsense", "x.py"], "`kobai view` has no option '--nonsense'"), (["missing.py"], "cannot open 'missing.py'"),
])
def test_misuse(tmp_path, arguments, reason):
    done = python(tmp_path, "-m", "kobai", "view", *arguments)
    assert done.returncode == 2 and reason in done.stderr


def test_a_program_without_tensors(tmp_path):
    done = python(tmp_path, "-m", "kobai", "view", program(tmp_path, "print(1)"))
    assert (done.returncode, done.stdout) == (0, "1\n") and "computed nothing" in done.stderr


def test_frames_are_escaped_once():
    """What html.escape did is undone by the browser: the page arrives as it was."""
    assert html.unescape(views.FRAME.format(page=html.escape("<a b=\"'&\">"), title="", height=1)).count("<a b=\"'&\">") == 1
