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
_COPY, _COPY_HALF = 16, 100  # multiplications that take as long as to copy one number of A or of B
_THIN = 8  # multiplications in the time in which a number comes from memory
_ROUNDS = 4  # the most tiles for each thread, unless the largest tile asks for more
_READ_AGAIN = 1 << 16  # numbers of A in a tile that is narrow, so that they are not copied and each sliver reads them again
_UNEVEN = 0.05  # of a tile that threads wait for each other at the end
_DIRECT = 84  # rows of a tile from which on copying B pays
_DIRECT_ALIGNED = 400  # the same where they begin at cache lines: what is loaded at once lies in one then
UNLESS_ALIGNED = 2  # B is copied unless its rows begin at cache lines
_NEAR = 1 << 20  # bytes that B may take to be read piecemeal
_WIDE = 128  # columns of a tile from which on copying A pays
_SLIVERS, _SHORT, _FITS = 8, 256, 3 << 16  # slivers from which on it does if rows are short, and all of a tile's stay in the cache
_FAR = 4096  # rows of A so many bytes apart are copied for less: they fall on the same places in the cache
_FAR_COLS = 1024  # and columns, of which a few rows at a time are read: of each a piece of a cache line


class Tiling(NamedTuple):
    """How a product is cut up."""

    rows: int
    cols: int
    depth: int  # a function of the shape alone
    grain: int  # tiles to do at once


@lru_cache(4096)
def tiling(m: int, n: int, k: int, batch: int, step: int, width: int, depth: int = DEPTH, threads: int = 2,
           half: bool = False, tile: int = TILE, few: bool = False) -> Tiling:  # fmt: skip
    """Tiles of a product of ``batch`` matrices m x k and k x n, in multiples of ``step`` rows and ``width`` columns.

    `half`: of bfloat16; `few`: B is read once and not copied.
    """
    fast, copy = (1, _COPY) if few or not half else (_FAST, _COPY_HALF)
    rows, cols = min(_cuts(m, n, k, batch, step, width, half, threads, fast * tile, copy))[-2:]
    each = _work(min(rows, m), min(cols, n), k) // fast
    stretches = max(-(-k // (depth + depth // 8)), 1) if not half else -(-k // depth)
    return Tiling(rows, cols, _share(k, stretches, 32 if half else 4), max(1, tile // max(each, 1)))


def _cuts(m: int, n: int, k: int, batch: int, step: int, width: int, half: bool, threads: int, tile: int, copy: int):
    """(time that is to be expected, tiles, rows, columns) for all ways to cut that are worth a look."""
    most = max(_work(m, n, k) // tile, 1)
    least_across = -(-n // _COLS)
    for across in range(least_across, max(least_across, min(n // (2 * width), most, _ROUNDS * threads)) + 1):
        cols = _share(n, across, width)
        across = -(-n // cols)
        for rounds in range(1, _ROUNDS + 1):
            wanted = min(rounds * threads // (batch * across) or 1, most // across or 1)
            least = -(-m // _ROWS_HALF) if half else -(-m * min(k, DEPTH) // _READ_AGAIN) if cols < _WIDE else 1
            rows = _share(m, max(least, min(wanted, m // (2 * step) or 1)), step)
            tiles = batch * across * -(-m // rows)
            of_tile = min(rows, m) * cols + copy * (min(rows, m) + cols)
            yield (-(-tiles // threads) + _UNEVEN) * of_tile, tiles, rows, cols


def _work(m: int, n: int, k: int) -> int:
    """Multiplications of a product, or as many as take the time of reading the largest of its matrices."""
    return max(m, _THIN) * max(n, _THIN) * max(k, _THIN)


def worth_sharing(m: int, n: int, k: int) -> int:
    """Multiplications worth a tile of their own in a plan."""
    return _IN_PLAN if m * n * k >= _DENSE * (m * k + k * n + m * n) else TILE


def _share(size: int, parts: int, step: int) -> int:
    """Parts of equal size, rounded up to multiples of ``step``."""
    return -(-size // (parts * step)) * step


def copies(t: Tiling, m: int, n: int, k: int, size: int, a, step: int, width: int) -> tuple[int, int]:
    """Whether to copy A (of these strides), and B where that can be avoided (0, 1, `UNLESS_ALIGNED`)."""
    rows, cols = min(t.rows, m), min(t.cols, n)
    far = (a[-2] >= _FAR or a[-1] >= _FAR_COLS) and cols > 2 * width
    stays = a[-1] == size and k <= _SHORT and rows * k <= _FITS  # a sliver of B in the first cache, A in the second
    copy_a = rows > step and (far or cols >= max(_WIDE, (_SLIVERS if stays else 2) * width) and rows > _DIRECT)
    if k * n * size >= _NEAR:
        return int(copy_a), int(rows > step)
    return int(copy_a), 0 if rows <= _DIRECT else UNLESS_ALIGNED if rows <= _DIRECT_ALIGNED else 1
