"""How a matrix product is cut into tiles, the work of one thread each, and what of it is copied.

Sums do not depend on the tiles, only on the stretches of the inner dimension: so tiles may be made for the threads that
there are, stretches follow from the shape alone.  Each tile copies its part of A and of B, so few and nearly square
tiles copy least; two for each thread leave something to take over where a thread has lost its core.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

DEPTH = 256  # of the inner dimension in one go, or a little more
_ROWS, _COLS = 512, 512  # the largest tile; that of bfloat16 has twice as many rows
_TILE = 1 << 18  # multiplications worth a tile of their own: some 2 microseconds
_LARGE_TILE = 1 << 25  # where each thread has two
_FAST = 8  # products of bfloat16 take so many times less time
_DIRECT = 84  # rows of a tile from which on copying B pays
_NEAR = 1 << 20  # bytes that B may take to be read piecemeal
_WIDE = 128  # columns of a tile from which on copying A pays
_FAR = 4096  # rows of A so many bytes apart are copied for less: they fall on the same places in the cache
_FAR_COLS = 1024  # and columns, of which a few rows at a time are read: of each a piece of a cache line


class Tiling(NamedTuple):
    """How a product is cut up."""

    rows: int
    cols: int
    depth: int  # a function of the shape alone
    grain: int  # tiles to do at once


@lru_cache(4096)
def tiling(m: int, n: int, k: int, batch: int, step: int, width: int, depth: int = DEPTH, threads: int = 2) -> Tiling:
    """Tiles of a product of ``batch`` matrices m x k and k x n, in multiples of ``step`` rows and ``width`` columns."""
    half = depth != DEPTH
    work = m * n * k // _FAST if half else m * n * k
    wanted = min(max(work // _TILE, 1), 2 * threads)
    wanted = min(max(work // _LARGE_TILE, wanted), 4 * threads)
    down, across = _cut(m, n, -(-wanted // batch), _ROWS << half, step, width)
    rows, cols = _share(m, down, step), _share(n, across, width)
    each = min(rows, m) * min(cols, n) * k
    stretches = max(-(-k // (depth + depth // 8)), 1) if not half else -(-k // depth)
    return Tiling(rows, cols, _share(k, stretches, 32 if half else 4), max(1, _TILE // max(each, 1)))


def _cut(m: int, n: int, wanted: int, most: int, step: int, width: int) -> tuple[int, int]:
    """(tiles down, tiles across): at least as many as wanted, if each copy is used more than once, and the least copied."""
    least_down, least_across = -(-m // most), -(-n // _COLS)
    most_down, most_across = max(least_down, m // (2 * step)), max(least_across, n // (2 * width))
    found = []
    for across in range(least_across, min(most_across, max(wanted, least_across)) + 1):
        down = min(max(-(-wanted // across), least_down), most_down)
        found.append((-min(down * across, wanted), m * across + n * down, down * across, down, across))
    return min(found)[-2:]


def _share(size: int, parts: int, step: int) -> int:
    """Parts of equal size, rounded up to multiples of ``step``."""
    return -(-size // (parts * step)) * step


def copies(t: Tiling, m: int, n: int, k: int, size: int, a, step: int, width: int) -> tuple[int, int]:
    """Whether to copy A (of these strides), and B where that can be avoided."""
    rows, cols = min(t.rows, m), min(t.cols, n)
    far = (a[-2] >= _FAR or a[-1] >= _FAR_COLS) and cols > 2 * width
    copy_a = rows > step and (far or cols >= max(_WIDE, 2 * width) and rows > _DIRECT)
    return int(copy_a), int(rows > (_DIRECT if k * n * size < _NEAR else step))
