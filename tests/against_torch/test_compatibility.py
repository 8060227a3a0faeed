"""docs/compatibility.md is what tools/list_compatibility.py finds, PyTorch being there to ask."""
import importlib.util
import pathlib

import pytest

pytest.importorskip("torch")
ROOT = pathlib.Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("list_compatibility", ROOT / "tools" / "list_compatibility.py")
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)


def test_the_document_is_new():
    assert (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8") == tool.listing()


def test_almost_nothing_is_missing_where_programs_look():
    """The goal: 95 % of what each of these namespaces has."""
    for space in ("torch.nn", "torch.nn.functional", "torch.nn.init", "torch.linalg", "torch.fft", "torch.special", "torch.func",
                  "torch.optim", "torch.distributions", "torch.autograd"):
        names = tool.public_names(space)
        absent = [n for n in names if not tool.has(space, n)]
        assert len(absent) <= max(1, 0.05 * len(names)), (space, absent)
