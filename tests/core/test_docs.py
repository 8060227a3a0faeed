"""The documents hold together: links lead somewhere, code blocks are examples that run, no page is lost.

The examples themselves are run by pytest's --doctest-glob (step "doctests" of .ci/run).
"""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "web" / "README.md", ROOT / "examples" / "data" / "README.md"])
COURSE = sorted((DOCS / "learn").glob("*.md"))
LATER = {DOCS / "benchmarks.md", DOCS / "benchmarks.svg"}  # written by `make bench` on the machine that measures


def name(path):
    return str(path.relative_to(ROOT))


def prose(path):
    """The text of a page without its code."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.S)


def anchors(path):
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path):
    """(file, anchor) of each relative link of a page."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield (path.parent / file).resolve() if file else path, anchor


def code(path):
    """The blocks of Python of a page."""
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.S)


def sources(block):
    """The lines of an example that are typed, without comments and texts."""
    lines = re.findall(r"^(?:>>>|\.\.\.) ?(.*)$", block, re.M)
    return [re.sub(r'f?"[^"]*"', '""', re.sub(r"\s+# .*", "", line)) for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links(page):
    for file, anchor in links(page):
        assert file in LATER or file.exists(), f"{name(page)} links to {file}, which does not exist"
        assert not anchor or anchor in anchors(file), f"{name(page)} links to #{anchor}, which {name(file)} has not"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_is_examples(page):
    """A block of Python without >>> would not be run by anything."""
    for block in code(page):
        assert block.startswith(">>> ") and block.endswith("\n\n"), f"no example, or no empty line at its end:\n{block}"


def test_the_index_has_every_page():
    listed = {file for file, _ in links(DOCS / "README.md")}
    course = {file for index in (DOCS / "learn" / "README.md", DOCS / "learn" / "ja" / "README.md") for file, _ in links(index)}
    assert set(DOCS.rglob("*.md")) - LATER - {DOCS / "README.md"} <= listed | course


def test_every_picture_is_shown():
    shown = {file for page in PAGES for file, _ in links(page)}
    assert set((DOCS / "pictures").iterdir()) <= shown


@pytest.mark.parametrize("page", COURSE, ids=name)
def test_the_course_is_the_same_in_both_languages(page):
    """The Japanese pages are written anew, but their programs are the English ones, and their pages as short."""
    other = page.parent / "ja" / page.name
    assert [sources(b) for b in code(other)] == [sources(b) for b in code(page)]
    for path in (page, other):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 120


def test_the_readmes_show_the_same_programs():
    english, japanese = ([sources(b) for b in code(ROOT / f"README{end}.md")] for end in ("", ".ja"))
    assert english == japanese


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), DOCS / "architecture.md", *COURSE], ids=name)
def test_named_files_exist(page):
    package = ROOT / "src" / "kobai"
    for file in re.findall(r"`(?:src/kobai/)?([\w/]+\.py)`", page.read_text(encoding="utf-8")):
        if file != "train.py":  # the reader's own
            assert (ROOT / file).exists() or any(package.rglob(file)), f"{name(page)} names {file}, which does not exist"
