"""`kobai.view`: the interactive page of a graph, in the browser, in a notebook, or as one file."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import webbrowser
from collections.abc import Callable
from html import escape
from pathlib import Path
from types import FrameType

from kobai.diagnose.language import language

from . import model, page
from .server import Server
from .still import still

SOON = 0.3  # seconds until the browser opens: enough for `kobai.view(loss).save("graph.html")` to come first
PATIENCE = 15.0  # seconds that the program's end waits for a browser that was asked to show the page
# A frame of its own origin: the page's script runs, and reaches neither the notebook nor its cookies.
FRAME = (
    '<iframe srcdoc="{page}" sandbox="allow-scripts allow-downloads" title="{title}" '
    'style="width:100%;height:{height}px;border:1px solid #8888;border-radius:6px" loading="lazy"></iframe>'
)
NOT_OPENED = {
    "en": "kobai: the graph is at {url} while this program runs (no browser was found; "
          'kobai.view(...).save("graph.html") makes a file of it)',
    "ja": "kobai: グラフはこのプログラムの実行中 {url} で見られます (ブラウザが見つかりません。"
          'kobai.view(...).save("graph.html") でファイルにできます)',
}


# Where pages are shown if not in a browser's window: the playground puts its viewer here.
elsewhere: Callable[[View], None] | None = None

# A page of each line that shows graphs: in a loop the page changes, and no second one opens.
_SHOWN: dict[tuple, View] = {}


def view(what, *inputs, params: dict | None = None, open: bool | None = None, lang: str = "", title: str = "",
         **options) -> View:
    """Show the computation behind a tensor, or a call of a model, as a page to explore and step through.

    The graph is read now; what the program does later does not change it. In a notebook the result shows
    itself; elsewhere the browser opens a moment later, unless the result is saved first.

    Args:
        what: a tensor or tuple of tensors of any shape, or a module or function that is called on `inputs`.
        params: names of tensors, in addition to those of the caller's variables.
        open: open the browser (True), do not (False), or as above (None).
        lang: "en" or "ja"; the reader's language if left out.
        title: of the page.
        options: keyword arguments of the call.

    Raises:
        TypeError: there is nothing to show in `what`, or in what it returned.

    >>> import kobai
    >>> w = kobai.tensor(2.0, requires_grad=True)
    >>> kobai.view(w * 3, open=False)
    <kobai.view: 2 nodes>
    """
    frame, lang = sys._getframe(1), lang or language()
    description = model.describe(what, *inputs, params=params, variables=variables_of(frame), lang=lang,
                                 title=title, **options)
    if elsewhere is not None and open is not False:
        elsewhere(found := View(description, lang))
        return found
    if open is False or (open is None and in_notebook()):
        return View(description, lang)
    shown = _SHOWN.setdefault((frame.f_code, frame.f_lasti), View(description, lang))
    shown.show(description)
    shown._open_soon()
    return shown


class View:
    """One graph as a page: `.save(path)`, `.url`, `.open()`, `.update(...)`, and itself in a notebook."""

    def __init__(self, description: dict, lang: str = "en"):
        self.description, self.lang = description, lang
        self._server: Server | None = None
        self._timer: threading.Timer | None = None
        self._asked = self._opened = self._registered = False

    def __repr__(self) -> str:
        return f"<kobai.view: {len(self.description['nodes'])} nodes>"

    def html(self) -> str:
        """The page as one text that needs neither network nor server."""
        return page.html(self.description, lang=self.lang)

    def save(self, path) -> Path:
        """Write the page to one file that any browser opens; its path.

        Raises:
            OSError: the file cannot be written.
        """
        self._cancel()
        path = Path(path)
        path.write_text(self.html(), encoding="utf-8")
        return path

    @property
    def url(self) -> str:
        """Address of the page, served from here until the program ends or `close()`."""
        self._cancel()
        return self._serve().url

    def open(self, quiet: bool = False) -> bool:
        """Show the page in the browser; whether there is one. Unless `quiet`, the address is printed if not."""
        self._asked = True  # before the timer is forgotten: one of the two keeps the next call from opening again
        self._cancel()
        url = self._serve().url
        self._opened = can_open() and webbrowser.open(url)
        if self._opened:
            self._at_exit()
            return True
        if not quiet:
            print(NOT_OPENED[self.lang].format(url=url), file=sys.stderr)
        return False

    def update(self, what, *inputs, params: dict | None = None, title: str = "", **options) -> None:
        """Show another graph, or this one with its new values, in the pages that are open."""
        self.show(model.describe(what, *inputs, params=params, variables=variables_of(sys._getframe(1)),
                                 lang=self.lang, title=title, **options))

    def show(self, description: dict) -> None:
        """Show what `model.describe` returned in the pages that are open."""
        self.description = description
        if self._server is not None:
            self._server.publish(description)

    def close(self) -> None:
        """Stop serving; pages that are open stay as they are."""
        self._cancel()
        if self._server is not None:
            self._server.close()
            self._server = None

    def _serve(self) -> Server:
        if self._server is None:
            self._server = Server(self.description, self.lang)
        return self._server

    def _open_soon(self) -> None:
        """Open the browser in a moment, or when the program ends before that; once."""
        if self._asked or self._timer is not None:
            return
        self._timer = threading.Timer(SOON, self.open)
        self._timer.daemon = True
        self._timer.start()
        self._at_exit()

    def _at_exit(self) -> None:
        if not self._registered:
            self._registered = True
            atexit.register(self._finish)

    def _finish(self) -> None:
        """Let a browser that was asked to show the page fetch it before the program is gone."""
        if self._timer is not None:
            self.open()
        if self._opened and self._server is not None:
            self._server.shown.wait(PATIENCE)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        """For notebooks, live or exported: the page in a frame of its own; a still picture where frames are not shown."""
        self._cancel()
        bundle = {"text/plain": repr(self), "text/html": self._frame()}
        picture = still(self.description)
        if picture is not None:
            bundle["image/svg+xml"] = picture._repr_mimebundle_()["image/svg+xml"]
        return bundle

    def _frame(self, height: int = 560) -> str:
        title = escape(self.description.get("title") or "kobai.view")
        return FRAME.format(page=escape(self.html()), title=title, height=height)


def variables_of(frame: FrameType) -> dict:
    """What a program's names stand for where it calls us."""
    return {**frame.f_globals, **frame.f_locals}


def in_notebook() -> bool:
    """Whether what a cell returns is displayed."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def can_open() -> bool:
    """Whether a browser would open in a window: where there is no display, one in the terminal would take it over."""
    if "BROWSER" in os.environ or sys.platform in ("win32", "darwin"):
        return True
    display = any(os.environ.get(v) for v in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"))
    return sys.platform != "emscripten" and display
