"""A table of measurements: statements in rows, variants in columns."""
from __future__ import annotations

from .measurement import unit_in_words, unit_of


class Compare:
    """Measurements with one label make a table; sub-labels are its rows and descriptions its columns.

    >>> from kobai.utils.benchmark import Compare, Measurement
    >>> print(Compare([Measurement(1, [2e-6], label="sum", sub_label="10", description="numpy"),
    ...                Measurement(1, [5e-6], label="sum", sub_label="10", description="list")]))
    [---------- sum ----------]
              |  numpy  |  list
    1 threads: ----------------
          10  |   2.0   |   5.0
    <BLANKLINE>
    Times are in microseconds (us).
    <BLANKLINE>
    """

    def __init__(self, results):
        self._results = list(results)

    def extend_results(self, results):
        """Add measurements."""
        self._results += results

    def trim_significant_figures(self):
        """Accepted; times are shown with one decimal."""

    def colorize(self, rowwise=False):
        """Accepted; the table has no colours."""

    highlight_warnings = trim_significant_figures

    def print(self):
        """Print the table."""
        print(self)

    def __str__(self):
        labels = dict.fromkeys(r.label or r.stmt for r in self._results)
        return "\n".join(_table(label, [r for r in self._results if (r.label or r.stmt) == label]) for label in labels)


def _table(label, results):
    unit, length = unit_of(min(r.median for r in results))
    columns = list(dict.fromkeys(r.description or "" for r in results))
    rows = list(dict.fromkeys((r.num_threads, r.sub_label or r.stmt) for r in results))
    found = {(r.num_threads, r.sub_label or r.stmt, r.description or ""): f"{r.median / length:.1f}" for r in results}
    first = 6 + max(len(name) for _, name in rows)
    widths = [max(5, len(c), *[len(found.get((*row, c), "")) for row in rows]) for c in columns]
    head = " " * first + "".join(f"  |  {c:^{w}}" for c, w in zip(columns, widths)).rstrip()
    whole = max(len(head), len(label) + 6)
    lines = ["[" + f" {label} ".center(whole - 2, "-") + "]", head]
    threads = None
    for row in rows:
        if row[0] != threads:
            threads = row[0]
            lines.append(f"{threads} threads: ".ljust(whole, "-"))
        cells = [found.get((*row, c), "").center(w) for c, w in zip(columns, widths)]
        lines.append(f"      {row[1]}".ljust(first) + "".join(f"  |  {c}" for c in cells).rstrip())
    return "\n".join([*lines, "", f"Times are in {unit_in_words(unit)} ({unit}).", ""])
