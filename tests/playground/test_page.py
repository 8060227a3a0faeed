"""The playground's page in a real browser, from localhost: see conftest.py for what that takes."""
import re

import pytest
from course import PAGES, agrees, wanted

from kobai.playground.build import examples


# ---- without Python --------------------------------------------------------------------------
def test_nothing_is_refused_and_nothing_comes_from_elsewhere(seen):
    if "programs" in seen:  # else Python is not there, and the page says so
        assert seen["console"] == []
    assert seen["foreign"] == []


def test_it_opens_with_the_first_example(seen):
    assert seen["alone"]["first"] == examples()[0]["code"]
    assert seen["alone"]["examples"][1:] == [f"{e['id'].upper()}  {e['en']}" for e in examples()]


def test_the_editor_colours_indents_and_can_be_left_with_the_keyboard(seen):
    alone = seen["alone"]
    assert alone["coloured"] == "import"
    assert alone["indented"] == alone["same"] == "def f(x):\n    return x"
    assert alone["tabbed"] == "def f(x):\n    return x    "
    assert alone["left"] != "program", "Escape, then Tab, moves on"


def test_a_link_holds_the_program_and_does_not_run_it(seen):
    alone = seen["alone"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/some/where/#code=[\w-]+", alone["link"])
    assert alone["shared"] == "print('こんにちは </textarea><script>alert(1)</script>')"
    assert alone["ranUnasked"] == ""
    assert alone["broken"] == "This link is damaged; its program cannot be read.\n"


def test_links_hold_long_programs_and_no_bombs(seen):
    assert seen["alone"]["links"] == {"long": True, "empty": "", "none": None, "bomb": "RangeError"}


def test_japanese(seen):
    assert seen["alone"]["japanese"] == ["停止", "ja", "P1  はじめての勾配", "プログラム"]


def test_every_control_has_a_name(seen):
    assert seen["alone"]["unnamed"] == []


def test_where_python_cannot_be_loaded_the_page_says_so_and_tries_again(seen):
    without = seen["alone"]["without"]
    assert without["status"].startswith("Python could not be loaded: ")
    assert without["button"] == "Try again" and without["then"] == "loading"


def test_it_fits_a_telephone(seen):
    assert seen["alone"]["narrow"] == {"wide": 380, "hidden": []}


# ---- with Python -----------------------------------------------------------------------------
PRINTED = {  # as the introductions print it
    "p1": ["tensor(2., requires_grad=True)", "tensor(11., grad_fn=<AddBackward0>)", "MulBackward0", "AccumulateGrad",
           "tensor(5.) tensor(1.) None"],
    "p2": ["tensor(2.)\ntensor(1.)\ntensor(1.)\n<AddBackward0 object at 0x"],
    "p3": ["80: loss=0.0099 w=1.9891 b=0.0184", "mat1 and mat2 must have the same dtype, but got Double and Float", "fix:"],
    "p4": ["0: x=1.0000000, y=-1.0000000, dL/dx=-4.0000000\n1: x=1.0400000, y=-0.9184000, dL/dx=-3.8205440\n"
           "2: x=1.0782053, y=-0.8374733, dL/dx=-3.6118727\n", "99: x=1.4142133, y=-0.0000007, dL/dx=-0.0000040\nx=1.4142133"],
    "p5": ["(layer1): Linear(in_features=2, out_features=1, bias=True)", "tensor([[0.7616]], grad_fn=<TanhBackward0>)",
           "tensor([[-0.2002, -0.4005]])\ntensor([-0.2002])"],
    "p6": [],
    "p7": ["GELU(approximate='none')\n  tensor([-0.0455, -0.1587,  0.0000,  0.8413,  1.9545])", "torch.Size([4, 1, 8])"],
    "p8": ["tensor(9.7500, grad_fn=<AddBackward0>)\ntensor(10.5000)\ntorch.Size([8000])"],
    "p9": ["tf.Tensor(9.75, shape=(), dtype=float32)\ntf.Tensor(10.5, shape=(), dtype=float32)"],
}


def test_loading_shows_how_far_it_is(programs):
    said = [text for text, _ in programs["loading"]]
    for part in ("Loading Python", "Loading NumPy", "Loading kobai", "Ready"):
        assert any(text.startswith(part) for text in said), part
    bars = [value for text, value in programs["loading"] if text.startswith("Loading Python (")]
    assert bars == sorted(bars) and bars[-1] > 0.8


def test_a_link_to_an_example(programs):
    assert programs["linked"] == "p2"


@pytest.mark.parametrize("name", PRINTED)
def test_examples(programs, name):
    found = programs["examples"][name]
    for text in PRINTED[name]:
        assert text in found["output"]
    assert found["status"].startswith("Done")
    assert found["pictures"] == (name in ("p3", "p6", "p8"))
    assert found["graph"] and "Warning" not in found["output"]


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_the_course(programs, name):
    """As a reader copies them, prompts and all."""
    assert agrees(wanted(PAGES[name]), programs["pages"][name]["output"])
    assert ("終わりました" if name.startswith("ja ") else "Done") in programs["pages"][name]["status"]


def test_the_viewer_beside_the_program_shows_its_graph(programs):
    assert programs["graph"]["ops"] == ["mul", "add"]
    assert programs["graph"]["lang"] == "en" and "mul" in programs["graph"]["drawn"]
    assert programs["japaneseGraph"]["ops"] == ["addmm", "tanh", "mse_loss"]
    assert programs["japaneseGraph"]["lang"] == "ja" and "tanh" in programs["japaneseGraph"]["drawn"]


def test_an_error_names_the_line_and_marks_it(programs):
    text = programs["error"]["output"]
    assert "RuntimeError: grad can be implicitly created only for scalar outputs" in text
    assert "program.py:4\n        (x * 2).backward()" in text and "session.py" not in text
    assert programs["marked"] == ["(x * 2).backward()"]
    assert programs["error"]["status"] == "Ended with an error"
    assert "原因:" in programs["japaneseError"]["output"]


def test_what_a_program_prints_and_draws_runs_nothing(programs):
    assert "<img src=x" in programs["hostile"]["output"] and programs["hostile"]["pictures"] == 1
    assert programs["titleAfter"] == "kobai playground"


def test_small_things(programs):
    assert programs["nothing"]["output"] == "" and not programs["nothing"]["graph"]
    assert programs["exit"]["status"].startswith("Done")
    assert "EOFError" in programs["asked"]["output"]


def test_stop_ends_an_endless_program_and_the_next_one_runs(programs):
    milliseconds, text = programs["stopping"]
    assert milliseconds < 5_000 and text.endswith("Stopped\n")
    assert programs["again"][1] == "42\n"


def test_it_works_without_a_network_once_loaded(programs, seen):
    assert seen["offline"]["output"] == "tensor(2.)\n"
    assert seen["offline"]["again"] == 1, "packages that were loaded before are kept too"
