"""Matplotlib's backend in the page: `plt.show()` shows the open figures in the output (`MPLBACKEND=module://...`)."""

from __future__ import annotations

import io

from matplotlib import pyplot
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

from . import session


def show_all() -> None:
    """Show the open figures as images, and close them as a notebook does."""
    for number in pyplot.get_fignums():
        file = io.BytesIO()
        pyplot.figure(number).savefig(file, format="png", dpi=110)
        session.showing("picture", session.address("image/png", file.getvalue()))
    pyplot.close("all")


class FigureManager(FigureManagerBase):
    """Shows all figures at once: a page has no windows."""

    @classmethod
    def pyplot_show(cls, *, block=None) -> None:
        show_all()


class FigureCanvas(FigureCanvasAgg):
    """Draws into memory."""

    manager_class = FigureManager
