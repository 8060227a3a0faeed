"""What an explanation is: text that was printed, and is kept."""
from __future__ import annotations

from .language import language


class Told:
    """An explanation: `str(told)` is its text; `told.facts` what it says, for programs."""

    def __init__(self, text: str, printed: bool = False, **facts):
        self.text, self.facts, self._printed = text, facts, printed

    def __str__(self):
        return self.text

    def __repr__(self):
        first = self.text.strip().split("\n", 1)[0]
        return f"<{type(self).__name__}: {first[:60]}>"

    def _ipython_display_(self):
        """As the last line of a notebook's cell: the text, unless it was printed there already."""
        if not self._printed:
            print(self.text)
        self._printed = False

    def __contains__(self, part):
        return part in self.text


def tell(text: str, show: bool = True, **facts) -> Told:
    """Print a text, unless told not to, and return it."""
    if show:
        print(text)
    return Told(text, show, **facts)


def spoken(texts: dict[str, tuple[str, str]]):
    """A function that gives the texts of a module in the reader's language: texts[name] = (English, Japanese)."""
    def say(name: str, /, **facts) -> str:
        return texts[name][language() == "ja"].format(**facts)
    return say
