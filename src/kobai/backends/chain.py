"""What runs a chain: for each item some calls of native code, whose blocks are those of the first item moved on.

The block of a chain holds how many items are near each other, the number of calls, and `CALL` words for each: code, block,
extent, operands, words of the block, and where its moves are (two words for each operand, in bytes).
"""
from __future__ import annotations

from functools import lru_cache

from kobai.backends import llvm
from kobai.backends.llvm_flow import Flow
from kobai.compile.chain import BLOCK

CALL = 6


class _Chain(Flow):
    """Writes the function."""

    def text(self) -> str:
        """``chain(block, begin, end)``: the items from begin to end."""
        self.function("void @chain(ptr %block, i64 %begin, i64 %end)", self._items)
        return "\n".join(self.lines)

    def _items(self):
        near, calls = self.word("%block", 0), self.word("%block", 1)
        self.mine = self.slot("i64", BLOCK)
        table = self.at("%block", 16)

        def item(i):
            far = self.do(f"sdiv i64 {i}, {near}")
            place = far, self.sub(i, self.mul(far, near))
            self.loop("0", calls, lambda c: self._call(self.at(table, self.mul(c, 8 * CALL)), place))
        self.loop("%begin", "%end", item)

    def _call(self, entry, place):
        block, extent, operands, words, moves = [self.word(entry, i) for i in range(1, CALL)]
        block, moves, code = [self.do(f"inttoptr i64 {x} to ptr") for x in (block, moves, self.word(entry, 0))]
        size = self.mul(words, 8)
        self.say(f"call void @llvm.memcpy.p0.p0.i64(ptr {self.mine}, ptr {block}, i64 {size}, i1 false)")

        def move(o):
            steps = self.at(moves, self.mul(o, 16))
            on = [self.mul(n, self.word(steps, i)) for i, n in enumerate(place)]
            at = self.at(self.mine, self.mul(o, 8))
            self.say(f"store i64 {self.add(self.word(at, 0), self.add(*on))}, ptr {at}")
        self.loop("0", operands, move)
        self.say(f"call void {code}(ptr {self.mine}, i64 0, i64 {extent})")


@lru_cache(1)
def code() -> int:
    """The address of the function.

    Raises:
        NoKernel: if there is no machine code.
    """
    m = llvm.machine()
    made = m.remembered("chain", lambda: _Chain().text())
    return m.load(made, "chain")[0]
