"""docs/compatibility.md is true of kobai; that it is complete, tests/against_torch asks PyTorch."""
import importlib
import pathlib
import re

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "compatibility.md"


def missing():
    """(namespace, name) of each name that the document says is missing."""
    text = DOCUMENT.read_text(encoding="utf-8").partition("## What is missing")[2].replace("\n  ", " ")
    for space, names in re.findall(r"^- ([\w.]+): (.*)$", text, re.M):
        yield from ((space, name) for name in re.findall(r"`(\w+)`", names))


def holder(space):
    if space == "torch.Tensor":
        return importlib.import_module("kobai").Tensor
    try:
        return importlib.import_module("kobai" + space.removeprefix("torch"))
    except ModuleNotFoundError:
        return None


def test_what_is_said_to_be_missing_is_missing():
    found = [f"{space}.{name}" for space, name in missing() if hasattr(holder(space), name)]
    assert not found, f"no longer missing, run python tools/list_compatibility.py: {found}"


def test_the_document_lists_names():
    assert len(list(missing())) > 100


def test_every_namespace_can_be_asked():
    """`hasattr` of a name that is missing is False, in each namespace: libraries look for names that way."""
    spaces = re.findall(r"^\| (torch[\w.]*) \|", DOCUMENT.read_text(encoding="utf-8"), re.M)
    for space in spaces:
        assert not hasattr(holder(space), "no_such_name"), space
