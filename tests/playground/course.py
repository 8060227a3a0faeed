"""Pages 1 to 5 of the course as a reader copies them into the playground, and what they have to show there."""
import doctest
import re
from pathlib import Path

LEARN = Path(__file__).parents[2] / "docs/learn"
PAGES = {f"{folder.name} {page.stem}": page for folder in (LEARN, LEARN / "ja") for page in sorted(folder.glob("[1-5]-*.md"))}


def language(name):
    """What the reader of a page speaks."""
    return "ja" if name.startswith("ja ") else "en"


def transcript(page):
    """All code of a page, with its prompts and results."""
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.S | re.M))


def wanted(page):
    """What the page says is printed."""
    return "".join(example.want for example in doctest.DocTestParser().get_examples(transcript(page)))


def agrees(want, got):
    """Whether a text is the one that a page shows; `...` stands for anything there."""
    return doctest.OutputChecker().check_output(want, got, doctest.ELLIPSIS)
