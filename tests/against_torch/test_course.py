"""The course's programs print in PyTorch what the pages say: docs/learn, as far as they use no more than PyTorch has."""
import doctest
import pathlib
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

COURSE = pathlib.Path(__file__).parents[2] / "docs" / "learn"
OURS = re.compile(r"explain|draw\(|make_dot|dot\.source|why_no_grad|why_nan|coach|compile")


@pytest.mark.parametrize("name", ["2-tensors", "3-graph", "5-neuron", "6-digits"])
def test_page(name, monkeypatch):
    monkeypatch.chdir(COURSE.parents[1])  # page 6 reads the digits
    text = (COURSE / f"{name}.md").read_text(encoding="utf-8")
    text = text.replace("import kobai as torch", "import torch").replace("from kobai", "from torch")
    examples = [e for e in doctest.DocTestParser().get_examples(text) if not OURS.search(e.source)]
    said = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    runner.run(doctest.DocTest(examples, {"np": np}, name, name, 0, text), out=said.append)
    assert runner.tries > 10
    assert not runner.failures, "".join(said)
