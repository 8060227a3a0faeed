"""Sparse matrices along one dimension: each result is a weighted sum of a few elements, its taps.

Resampling, adaptive means and their transposes are such sums along one dimension after the other.
"""
from __future__ import annotations

import numpy as np


class Taps:
    """A matrix (out, in) with few entries a row, as triples (rows, columns, weights).

    The t-th triple has the t-th entry of every row that has so many; rows is None if all have. Rows
    with equal numbers of entries so need as many steps, each of which works on whole arrays.
    """

    def __init__(self, out, size, rows, columns, weights):
        """From the entries (rows[i], columns[i], weights[i]); those at one place are added up."""
        self.out, self.size = out, size
        places, which = np.unique(np.asarray(rows, np.int64) * size + columns, return_inverse=True)
        sums = np.zeros(len(places), np.asarray(weights).dtype)
        np.add.at(sums, which.reshape(-1), weights)
        keep = sums != 0
        self.rows, self.columns = np.divmod(places[keep], max(size, 1))
        self.weights = sums[keep]
        self.steps = self._steps()
        self._turned = None

    def _steps(self):
        counts = np.bincount(self.rows, minlength=self.out)
        first = np.cumsum(counts) - counts
        number = np.arange(len(self.rows)) - first[self.rows]
        steps = []
        for t in range(int(counts.max(initial=0))):
            at = np.flatnonzero(number == t)
            w = self.weights[at]
            weight = None if (w == 1).all() else w
            steps.append((None if len(at) == self.out else self.rows[at], self.columns[at], weight))
        return steps

    @property
    def transposed(self):
        """The transpose, made once."""
        if self._turned is None:
            self._turned = Taps(self.size, self.out, self.columns, self.rows, self.weights)
            self._turned._turned = self
        return self._turned

    def along(self, x, axis):
        """The product with the vectors of x along `axis` (counted from the end, negative)."""
        shape = list(x.shape)
        shape[axis] = self.out
        if not self.steps or self.steps[0][0] is not None:  # some rows have no entries
            y = np.zeros(shape, x.dtype)
            steps = self.steps
        else:
            y, steps = self._term(x, axis, *self.steps[0][1:]), self.steps[1:]
        for rows, columns, weights in steps:
            v = self._term(x, axis, columns, weights)
            if rows is None:
                y += v
            else:
                y[(Ellipsis, rows, *(slice(None),) * (-axis - 1))] += v  # no row twice
        return y

    def _term(self, x, axis, columns, weights):
        v = np.take(x, columns, axis)
        if weights is not None:
            v *= weights.astype(x.dtype).reshape(-1, *(1,) * (-axis - 1))
        return v
