"""`kobai view SCRIPT`: a program runs, and its graph and training steps appear in the browser meanwhile."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, perf_counter

from kobai.diagnose.language import language

from . import model
from .record import Recording
from .view import View

PAUSE = 0.5  # seconds between two pictures of a running program, at least
SHARE = 10  # and so many times what one takes: looking costs a running program about a tenth
TEXTS = {
    "en": {"served": "kobai: the graph is at {}", "saved": "kobai: the graph is in {}",
           "ended": "kobai: the program has ended; its graph stays at {} until Ctrl-C",
           "nothing": "kobai: the program computed nothing, so there is no graph to show"},
    "ja": {"served": "kobai: グラフは {} で見られます", "saved": "kobai: グラフを {} に保存しました",
           "ended": "kobai: プログラムは終わりました。グラフは Ctrl-C を押すまで {} で見られます",
           "nothing": "kobai: プログラムは何も計算しなかったので、表示するグラフがありません"},
}


def watch(run: Callable[[], int], title: str, save: Path | None = None, browser: bool = True) -> int:
    """Run a program and show what it computed; returns the program's exit status.

    Args:
        run: runs the program and returns its exit status, or raises SystemExit.
        save: write the page to this file and end, instead of serving it.
        browser: open the page; otherwise only its address is printed.

    Raises:
        OSError: `save` cannot be written.
    """
    page = _Page(title, save, browser)
    with page.recording:
        status = _status(run)
    page.finish()
    return status


def _status(run: Callable[[], int]) -> int:
    try:
        return run()
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0


class _Page:
    """The page of one program, from its first backward on."""

    def __init__(self, title: str, save: Path | None, browser: bool):
        self.title, self.save, self.browser, self.lang = title, save, browser, language()
        self.recording = _Steps(self.step)
        self.shown: View | None = None
        self.due = 0.0

    def step(self) -> None:
        """A training step has ended: show it, if the last one was long enough ago."""
        if self.save is None and monotonic() >= self.due:
            begin = perf_counter()
            self.show()
            self.due = monotonic() + max(PAUSE, SHARE * (perf_counter() - begin))

    def show(self) -> bool:
        """Show what has been computed so far; whether there is anything."""
        try:
            description = model.describe(self.recording, lang=self.lang, title=self.title)
        except TypeError:
            return False
        if not description["nodes"]:
            return False
        if self.shown is not None:
            self.shown.show(description)
            return True
        self.shown = View(description, self.lang)
        if self.save is None:
            self.say("served", self.shown.url)
            if self.browser:
                self.shown.open(quiet=True)
        return True

    def finish(self) -> None:
        """Show the end of the program: in a file, or served until the reader ends it."""
        if not self.show():
            self.say("nothing")
        elif self.save is not None:
            self.say("saved", self.shown.save(self.save))
        else:
            try:
                self.say("ended", self.shown.url)
                wait_for_ever()
            except KeyboardInterrupt:
                print(file=sys.stderr)
            self.shown.close()

    def say(self, what: str, value="") -> None:
        """To the standard error: the standard output is the program's."""
        print(TEXTS[self.lang][what].format(value), file=sys.stderr, flush=True)


class _Steps(Recording):
    """A recording that tells when a step has ended."""

    def __init__(self, ended: Callable[[], None]):
        super().__init__()
        self.ended = ended

    def _end_step(self, roots, film, found) -> None:
        super()._end_step(roots, film, found)
        self.busy += 1  # what the page computes is not the program's
        try:
            self.ended()
        finally:
            self.busy -= 1


def wait_for_ever() -> None:
    """Until Ctrl-C raises KeyboardInterrupt; in short steps, for an endless wait cannot be interrupted on Windows."""
    never = threading.Event()
    while not never.wait(1.0):
        pass
