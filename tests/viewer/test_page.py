"""The page in a real browser: what web/tests/page.mjs saw when it used it (see tests/conftest.py for what that needs)."""

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import kobai
from kobai import nn
from kobai.viewer.model import describe
from kobai.viewer.page import html
from kobai.viewer.record import Recording

DRIVER = Path(__file__).parents[2] / "web/tests/page.mjs"
HOSTILE = "</script><img src=x onerror=window.hostile=1>'\"&<!--\u2028"


def p1():
    x, w, b = kobai.tensor(5.0), kobai.tensor(2.0, requires_grad=True), kobai.tensor(1.0, requires_grad=True)
    y = w * x + b
    return describe(y, title="P1")


def meet():
    """x * x + 2x at 3, with a detached and an unrecorded branch."""
    x = kobai.tensor(3.0, requires_grad=True)
    with Recording() as r:
        a = x * x
        b = x * 2
        cut = a.detach()
        with kobai.no_grad():
            metric = b * 10
        y = a + b + cut
        y.backward()
    assert metric.item() == 60
    return describe(r, title="meet")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 16), nn.Tanh())
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        return self.head(self.body(x))


def net():
    """A network of four layers, ten steps of training."""
    kobai.manual_seed(0)
    model, loss_function = Net(), nn.CrossEntropyLoss()
    optimizer = kobai.optim.SGD(model.parameters(), lr=0.5)
    x, t = kobai.randn(20, 64), kobai.randint(0, 10, (20,))
    with Recording() as r:
        for _ in range(10):
            optimizer.zero_grad()
            out = model(x)
            loss = loss_function(out, t)
            accuracy = (out.argmax(1) == t).float().mean()
            loss.backward()
            optimizer.step()
    assert 0 <= accuracy <= 1
    return describe(r, title="net.py")


def hostile():
    w = kobai.tensor([1.0, 2.0], requires_grad=True)
    d = describe((w * 2).sum(), params={HOSTILE: w}, title=HOSTILE)
    d["files"] = [{"name": HOSTILE, "text": f"{HOSTILE}\n" * 500}]
    d["nodes"][0]["source"] = {"file": 0, "line": 7, "function": HOSTILE}
    d["nodes"][0]["settings"] = [HOSTILE]
    return d


class Block(nn.Module):
    """One block of a small GPT."""

    def __init__(self, d):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.q, self.k, self.v, self.out = (nn.Linear(d, d) for _ in range(4))
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def forward(self, x):
        h = self.norm1(x)
        q, k, v = (f(h).view(2, 8, 2, 4).transpose(1, 2) for f in (self.q, self.k, self.v))
        a = (q @ k.transpose(-2, -1) * 0.5).masked_fill(kobai.ones(8, 8).triu(1) == 1, float("-inf")).softmax(-1)
        x = x + self.out((a @ v).transpose(1, 2).contiguous().view(2, 8, 8))
        return x + self.mlp(self.norm2(x))


def large():
    """3,000 nodes: a GPT of 57 blocks."""
    kobai.manual_seed(0)
    d = describe(nn.Sequential(*(Block(8) for _ in range(57))), kobai.randn(2, 8, 8), title="large")
    assert len(d["nodes"]) >= 2900
    return d


def huge():
    """50,000 operations without modules."""
    x = kobai.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(25_000):
        y = y * 1.0001
        y = y.sin()
    last_one = y * 2
    d = describe(last_one, film=False, title="huge")
    assert len(d["nodes"]) > 50_000
    return d


PAGES = (p1, meet, net, hostile, large, huge)


@pytest.fixture(scope="module")
def seen(chromium, tmp_path_factory):
    """What the driver saw; KOBAI_SHOTS=<folder> keeps its screenshots."""
    folder = tmp_path_factory.mktemp("pages")
    for make in PAGES:
        (folder / f"{make.__name__}.html").write_text(html(make()), encoding="utf-8", newline="")
    settings = {**chromium.settings, "folder": str(folder), "shots": os.environ.get("KOBAI_SHOTS", "")}
    process = chromium.start(DRIVER, json.dumps(settings))
    out, errors = process.communicate(timeout=1200)
    assert process.returncode == 0, errors[-3000:]
    return json.loads(out)


def scene_of(seen, name):
    """The part of it that a test is about."""
    assert "error" not in seen[name], seen[name]["error"]
    return seen[name]


def test_cards_show_values_and_gradients(seen):
    scene = scene_of(seen, "small")
    assert {"w2grad 5", "x5", "b1grad 1"} <= set(scene["cards"])
    assert any(c.startswith("add → y11grad 1") for c in scene["cards"])
    assert scene["measure"]["engine"] == "graphviz"


def test_a_selected_node_is_explained_and_leads_to_its_line(seen):
    scene = scene_of(seen, "small")
    assert "leaf (requires grad)" in scene["selected"] and "Gradient" in scene["selected"]
    assert (scene["active"], scene["below"], scene["bottom"]) == ("item-n0", "item-n2", "item-n4")
    assert scene["line"].strip() == "y = w * x + b"


def test_everything_can_be_reached_and_done_with_keys(seen):
    scene = scene_of(seen, "keyboard")
    order = scene["order"]
    wanted = ["Zoom in", "Fit to window", "SVG", "Computation graph: P1", "Node", "Play", "One step", "Quiz"]
    places = [order.index(name) for name in wanted]
    assert places == sorted(places)
    assert scene["search"] == "search" and scene["zoomed"] == pytest.approx(1.3, rel=1e-3)
    assert (scene["place"], scene["back"]) == ("backward 1 / 4", "forward 2 / 2")
    assert (scene["lang"], scene["theme"], scene["help"]) == ("ja", "dark", 1)
    assert (scene["focused"], scene["closed"], scene["focusedAfter"]) == ("閉じる", 0, True)
    assert scene["home"] == "順伝播 2 / 2", "a tab has a use for Home"
    assert (scene["fromTab"], scene["fromPage"]) == ("逆伝播 1 / 4", "逆伝播 4 / 4")
    assert scene["typed"] == ["ja", "逆伝播 4 / 4"], "what is typed into the search box is no key"


def test_the_film_steps_through_forward_and_backward(seen):
    """x² + 2x at 3: 9 + 6; x gets 3 + 3 + 2 = 8."""
    scene = scene_of(seen, "film")
    assert "a * b" in scene["first"] and "3 × 3 = 9" in scene["first"]
    later = [c for c in scene["hidden"] if c.startswith("add → y")]
    assert later and "24" not in later[0]
    text = "\n".join(scene["steps"])
    assert ".detach() cuts the graph" in text and "no_grad()" in text
    assert "1 × 2 = 2" in text and "1 × 3 = 3" in text
    assert "3 gradients meet here" in scene["steps"][-1] and "= 8" in scene["steps"][-1]
    assert any(c.startswith("x3grad 8") for c in scene["end"]) and scene["played"]


def test_the_quiz_hides_the_number_until_it_is_found(seen):
    scene = scene_of(seen, "quiz")
    assert "2 × 5 = ?" in scene["asked"] and "10" not in scene["asked"] and "10" not in scene["card"]
    assert "Not yet" in scene["wrong"] and "10" not in scene["wrong"]
    assert "Right!" in scene["right"] and "1 of 1" in scene["right"] and "10" in scene["after"]


def test_modules_fold_and_a_link_restores_the_view(seen):
    scene = scene_of(seen, "modules")
    assert {"addmm", "relu", "tanh"} <= set(scene["first"])
    assert "▸ Net" in scene["folded"] and "tanh" not in scene["folded"]
    assert {"▸ body", "▸ head"} <= set(scene["opened"])
    assert scene["found"].endswith("found") and "tanh" in scene["revealed"] and "▸ head" in scene["revealed"]
    assert "TanhBackward0" in scene["panel"]
    assert scene["restored"][:2] == scene["original"][:2]
    assert scene["restored"][2] == pytest.approx(scene["original"][2], abs=0.01)


def test_training_can_be_scrubbed(seen):
    scene = scene_of(seen, "training")
    assert float(scene["first"]) > float(scene["last"]) and scene["rows"] == 8


def test_japanese_and_dark(seen):
    scene = scene_of(seen, "japaneseAndDark")
    assert (scene["theme"], scene["lang"]) == ("dark", "ja")
    assert "届いた勾配" in scene["text"] and "Incoming" not in scene["text"]


@pytest.mark.parametrize("name", ["small", "modules", "japaneseAndDark"])
def test_nothing_overlaps_and_all_can_be_read(seen, name):
    measure = seen[name]["measure"]
    assert measure["overlaps"] == [] and measure["outside"] == []
    assert measure["contrast"] >= 4.5, "WCAG AA for text"


def test_controls_have_names_and_contrast(seen):
    assert seen["small"]["unnamed"] == [] and seen["modules"]["unnamed"] == []
    for name in ("small", "japaneseAndDark"):
        ratio, text = seen[name]["contrast"]
        assert ratio >= 4.5, text


def test_pictures_can_be_saved(seen):
    scene = scene_of(seen, "files")
    assert (scene["svgName"], scene["pngName"]) == ("net.py.svg", "net.py.png")
    root = ET.fromstring(scene["svg"])
    texts = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "tanh" in texts and texts.count("relu") == 2
    assert any(i.get("href", "").startswith("data:image/png") for i in root.iter("{http://www.w3.org/2000/svg}image"))
    assert scene["png"].startswith("89504e470d0a1a0a") and scene["size"] > 10_000
    assert int(scene["png"][32:40], 16) == min(2 * int(root.get("width")), 12_000 * int(root.get("width")) // int(root.get("height")))


def test_names_and_sources_are_text_only(seen):
    scene = scene_of(seen, "hostile")
    assert HOSTILE[:20] in scene["panel"] and scene["ran"] is None
    assert scene["elements"] == 3, "the graph, the program and the style, nothing more"
    assert set(scene["images"]) <= {"data:"}
    assert "<img" not in scene["svg"] and ET.fromstring(scene["svg"]).find("{http://www.w3.org/2000/svg}title").text == HOSTILE


def test_the_page_allows_no_other_script(seen):
    scene = scene_of(seen, "policy")
    assert scene == {"eval": "EvalError", "injected": None}


def test_three_thousand_nodes_stay_fluid(seen):
    scene = scene_of(seen, "large")
    assert scene["engine"] == "graphviz" and scene["items"] > 2000 and scene["folded"] < 10
    assert scene["fitted"] == scene["items"] and scene["near"] < 400, "what is out of sight is not drawn"
    assert scene["frames"][20] < 100 and scene["nearFrames"][20] < 100, "milliseconds a frame (median)"


def test_fifty_thousand_nodes_open_folded(seen):
    scene = scene_of(seen, "huge")
    assert scene["items"] <= 60 and scene["frames"][20] < 100
    assert "last_one" in scene["panel"] and scene["items"] < scene["after"] < 400


def test_the_browser_had_nothing_to_complain_about(seen):
    assert seen["complaints"] == []
