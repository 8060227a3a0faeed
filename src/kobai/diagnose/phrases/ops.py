"""Phrases in the errors of ops/ (files a to n)."""
from __future__ import annotations

OPS: dict[str, str] = {
    "{fn2}(2, 3), or {fn2}(()) for a tensor without dimensions.": "{fn2}(2, 3)。次元のないテンソルなら {fn2}(()) です。",
    "use .cfloat(), complex numbers of 64 bits.": "64 ビットの複素数 .cfloat() を使ってください。",
}
