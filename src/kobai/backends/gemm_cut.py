"""How a matrix product is cut into tiles, the work of one thread each, and what of it is copied.

Sums do not depend on the tiles, only on the stretches of the inner dimension: so tiles may be made for the threads that
there are, stretches follow from the shape alone.  Each tile copies its part of A and of B: few and nearly square tiles
copy least, but threads should have equally many.  So of the ways to cut, that with the least time of the busiest thread
is taken.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

DEPTH = 512  # of the inner dimension in one go, or an eighth more: a panel of A is to fit the first cache; of float64 half as much
_COLS, _ROWS_HALF = 512, 1024  # the largest tile; that of float32 may have any number of rows
TILE = 1 << 18  # multiplications worth a tile of their own: some 2 microseconds
_IN_PLAN = 1 << 20  # the same where other steps have made A and B and will read C: half of that lies in another core's cache
_DENSE = 16  # multiplications for each number of A, B and C from which on they, not these numbers, take the time
_FAST = 8  # products of bfloat16 take so many times less time
_READ, _COPY, _COPY_HALF = 12, 24, 100  # multiplications in the time to read a number of A or B, to move it, to make pairs
_THIN = 8  # multiplications in the time in which a number comes from memory
_ROUNDS = 4  # the most tiles for each thread, unless the largest tile asks for more
_UNEVEN, _UNEVEN_HALF = 0.5, 0.05  # of a tile that threads wait for each other at the end: they are not equally fast
AS_IT_IS, PANELS, ROWS = 0, 1, 2  # how to copy A
_FAR = 4096  # rows of A that are multiples of so many bytes apart fall on the same places in the cache
_FAR_COLS = 1024  # and columns, of which a few rows at a time are read: of each a piece of a cache line
_WIDE_COPY = 256  # columns of a tile from which on other columns of A are copied


class Tiling(NamedTuple):
    """How a product is cut up."""

    rows: int
    cols: int
    depth: int  # a function of the shape alone
    grain: int  # tiles to do at once


@lru_cache(4096)
def tiling(m: int, n: int, k: int, batch: int, step: int, width: int, depth: int = DEPTH, threads: int = 2,
           half: bool = False, tile: int = TILE, few: bool = False, turned: tuple = (False, False)) -> Tiling:  # fmt: skip
    """Tiles of a product of ``batch`` matrices m x k and k x n, in multiples of ``step`` rows and ``width`` columns.

    `half`: of bfloat16; `few`: B is read once and not copied; `turned`: columns of A, of B are contiguous.
    """
    fast = _FAST if half and not few else 1
    copy = (_COPY_HALF, _COPY_HALF) if half and not few else tuple([_COPY if x else _READ for x in turned])
    rows, cols = min(_cuts(m, n, k, batch, step, width, half, threads, fast * tile, copy))[-2:]
    each = _work(min(rows, m), min(cols, n), k) // fast
    stretches = max(-(-k // (depth + depth // 8)), 1) if not half else -(-k // depth)
    return Tiling(rows, cols, _share(k, stretches, 32 if half else 4), max(1, tile // max(each, 1)))


def _cuts(m: int, n: int, k: int, batch: int, step: int, width: int, half: bool, threads: int, tile: int, copy: tuple[int, ...]):
    """(time that is to be expected, tiles, rows, columns) for all ways to cut that are worth a look."""
    most, uneven = max(_work(m, n, k) // tile, 1), _UNEVEN_HALF if half else _UNEVEN
    least_across = -(-n // _COLS)
    for across in range(least_across, max(least_across, min(n // (2 * width), most, _ROUNDS * threads)) + 1):
        cols = _share(n, across, width)
        across = -(-n // cols)
        for rounds in range(1, _ROUNDS + 1):
            wanted = min(rounds * threads // (batch * across) or 1, most // across or 1)
            least = -(-m // _ROWS_HALF) if half else 1
            rows = _share(m, max(least, min(wanted, m // (2 * step) or 1)), step)
            tiles = batch * across * -(-m // rows)
            of_tile = min(rows, m) * cols + copy[0] * min(rows, m) + copy[1] * cols
            yield (-(-tiles // threads) + uneven) * of_tile, tiles, rows, cols


def _work(m: int, n: int, k: int) -> int:
    """Multiplications of a product, or as many as take the time of reading the largest of its matrices."""
    return max(m, _THIN) * max(n, _THIN) * max(k, _THIN)


def worth_sharing(m: int, n: int, k: int) -> int:
    """Multiplications worth a tile of their own in a plan."""
    return _IN_PLAN if m * n * k >= _DENSE * (m * k + k * n + m * n) else TILE


def _share(size: int, parts: int, step: int) -> int:
    """Parts of equal size, rounded up to multiples of ``step``."""
    return -(-size // (parts * step)) * step


def copies(t: Tiling, m: int, n: int, size: int, a, step: int, width: int) -> int:
    """How to copy A, of these strides: `AS_IT_IS`, `PANELS`, `ROWS`."""
    rows, cols = min(t.rows, m), min(t.cols, n)
    if rows <= step or cols <= 2 * width:
        return AS_IT_IS
    if a[-1] == size:
        return AS_IT_IS if a[-2] % _FAR else ROWS
    return AS_IT_IS if a[-2] == size and a[-1] < _FAR_COLS and cols < _WIDE_COPY else PANELS
