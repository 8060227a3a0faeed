"""What runs a chain: for each item some calls of native code, whose blocks are those of the first item moved on.

The block of a chain has `HEAD` words: how many items are near each other, the number of calls, the bytes of a thread's room.
Then there are `CALL` words for each call: code, block, extent, operands, words of the block, and where its moves are.  These are
`MOVE` words for each operand: bytes from one of the far items to the next, of the near, and 1 if it lies in the room.
"""
from __future__ import annotations

from functools import lru_cache

from kobai.backends import llvm
from kobai.backends.llvm_flow import Flow
from kobai.backends.slots import SLOTS, TEXT
from kobai.compile.chain import BLOCK

HEAD, CALL, MOVE = 3, 6, 3

# Rooms are taken by whoever runs items, made anew where they are too small, and kept for the next.
_ROOMS = f"""{TEXT}
@sizes = internal global [{SLOTS} x i64] zeroinitializer, align 64
declare void @free(ptr)

define internal ptr @room(i64 %i, i64 %size) nounwind {{
entry:
  %at = getelementptr ptr, ptr @rooms, i64 %i
  %size_at = getelementptr i64, ptr @sizes, i64 %i
  %had = load i64, ptr %size_at
  %old = load ptr, ptr %at
  %short = icmp slt i64 %had, %size
  br i1 %short, label %make, label %have
make:
  call void @free(ptr %old)
  %bytes = add i64 %size, 64
  %new = call ptr @malloc(i64 %bytes)
  store ptr %new, ptr %at
  store i64 %size, ptr %size_at
  br label %have
have:
  %raw = phi ptr [%old, %entry], [%new, %make]
  %number = ptrtoint ptr %raw to i64
  %up = add i64 %number, 63
  %line = and i64 %up, -64
  %room = inttoptr i64 %line to ptr
  ret ptr %room
}}
"""


class _Chain(Flow):
    """Writes the function."""

    def text(self) -> str:
        """``chain(block, begin, end)``: the items from begin to end."""
        self.function("void @chain(ptr %block, i64 %begin, i64 %end)", self._items)
        return _ROOMS + "\n".join(self.lines)

    def _items(self):
        near, calls, size = [self.word("%block", i) for i in range(HEAD)]
        number = self.do("call i64 @take()")
        self.room = self.do(f"ptrtoint ptr {self.do(f'call ptr @room(i64 {number}, i64 {size})')} to i64")
        self.mine = self.slot("i64", BLOCK)
        table = self.at("%block", 8 * HEAD)

        def item(i):
            far = self.do(f"sdiv i64 {i}, {near}")
            place = far, self.sub(i, self.mul(far, near)), self.room
            self.loop("0", calls, lambda c: self._call(self.at(table, self.mul(c, 8 * CALL)), place))
        self.loop("%begin", "%end", item)
        self.say(f"call void @give(i64 {number})")

    def _call(self, entry, place):
        block, extent, operands, words, moves = [self.word(entry, i) for i in range(1, CALL)]
        block, moves, code = [self.do(f"inttoptr i64 {x} to ptr") for x in (block, moves, self.word(entry, 0))]
        size = self.mul(words, 8)
        self.say(f"call void @llvm.memcpy.p0.p0.i64(ptr {self.mine}, ptr {block}, i64 {size}, i1 false)")

        def move(o):
            steps = self.at(moves, self.mul(o, 8 * MOVE))
            at = self.at(self.mine, self.mul(o, 8))
            address = self.word(at, 0)
            for i, n in enumerate(place):
                address = self.add(address, self.mul(n, self.word(steps, i)))
            self.say(f"store i64 {address}, ptr {at}")
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
