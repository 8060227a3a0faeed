"""A line search with the strong Wolfe conditions, for L-BFGS."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

ENOUGH_DECREASE = 1e-4   # c1: the loss falls at least by this part of what the slope promises
ENOUGH_SLOPE = 0.9       # c2: the slope flattens at least to this part


class Point(NamedTuple):
    """A point on the line: how far (t), the loss there, its gradient, its slope along the line."""

    t: float
    loss: float
    grad: np.ndarray
    slope: float


def strong_wolfe(at, start, t, longest, tolerance, most):
    """A point where the loss has fallen and flattened enough, and how many points were tried.

        loss(t) <= loss(0) + c1 * t * slope(0)    and    |slope(t)| <= c2 * |slope(0)|

    First lengthen the step until a good point lies between two tried ones, then close in on it.

    Args:
        at: function t -> Point.
        start: the point at t = 0.
        t: the first step to try.
        longest: largest absolute component of the direction; with `tolerance` it says when two
            points are too close to go on.
        most: after so many refinements take the best there is.

    Source: Nocedal and Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6.
    """
    ends, done, tried = _bracket(at, start, t, most)
    if done:
        return ends[0], tried
    return _zoom(at, start, ends, longest, tolerance, most, tried)


def _too_high(point, start):
    return point.loss > start.loss + ENOUGH_DECREASE * point.t * start.slope


def _flat(point, start):
    return abs(point.slope) <= -ENOUGH_SLOPE * start.slope


def _bracket(at, start, t, most):
    """Two points with a good one between them; or one good point and True."""
    before, new = start, at(t)
    for i in range(most):
        if _too_high(new, start) or i > 1 and new.loss >= before.loss or \
                new.slope >= 0 and not _flat(new, start):
            return [before, new], False, i + 1
        if _flat(new, start):
            return [new], True, i + 1
        t = new.t
        t = cubic_minimum(before, new, t + 0.01 * (t - before.t), t * 10)
        before, new = new, at(t)
    return [start, new], False, most + 1


def _zoom(at, start, ends, longest, tolerance, most, tried):
    """Narrow the bracket down; `low` is the index of the better end."""
    low = 0 if ends[0].loss <= ends[1].loss else 1
    stuck = False  # the last point was close to an end
    while tried <= most and abs(ends[1].t - ends[0].t) * longest >= tolerance:
        t, stuck = _inside(ends, cubic_minimum(*ends), stuck)
        new = at(t)
        tried += 1
        if _too_high(new, start) or new.loss >= ends[low].loss:
            ends[1 - low] = new
            low = 0 if ends[0].loss <= ends[1].loss else 1
            continue
        done = _flat(new, start)
        if not done and new.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = new
        if done:
            break
    return ends[low], tried


def _inside(ends, t, stuck):
    """Keep t away from the ends of the bracket, if it came close to one for the second time."""
    left, right = min(e.t for e in ends), max(e.t for e in ends)
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if not stuck and left < t < right:
        return t, True
    return (right - margin if abs(t - right) < abs(t - left) else left + margin), False


def cubic_minimum(a, b, low=None, high=None):
    """Where the cubic through two points, with their slopes, is smallest, within [low, high].

    Source: Nocedal and Wright, Numerical Optimization, 2006, equation 3.59.
    """
    if low is None:
        low, high = min(a.t, b.t), max(a.t, b.t)
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 ** 2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square ** 0.5
    if a.t > b.t:
        a, b = b, a
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, low), high)
