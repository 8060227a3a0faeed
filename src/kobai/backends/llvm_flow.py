"""LLVM text with loops and branches, for code that is written by hand: `Flow`, a `Writer` of whole functions."""

from __future__ import annotations

from kobai.backends.llvm_text import Writer


class Flow(Writer):
    """Writes functions of 64-bit integers and pointers; loops nest as calls of Python functions."""

    def function(self, head: str, body, result: str = "void"):
        """``define ... {`` ``body()`` ``}``; what ``body`` gives back is returned."""
        start = len(self.lines) + 2
        self.lines += [f"define {head} nounwind {{", "entry:"]
        self._stack: list[str] = []
        value = body()
        self.say("ret void" if value is None else f"ret {result} {value}")
        self.lines[start:start] = self._stack  # slots are made once, however often a loop comes by
        self.lines.append("}")

    def add(self, a, b) -> str:
        """a + b"""
        return self.do(f"add i64 {a}, {b}")

    def sub(self, a, b) -> str:
        """a - b"""
        return self.do(f"sub i64 {a}, {b}")

    def mul(self, a, b) -> str:
        """a * b"""
        return self.do(f"mul i64 {a}, {b}")

    def _split(self, i, n):
        """Quotient and remainder."""
        q = self.do(f"sdiv i64 {i}, {n}")
        return q, self.sub(i, self.mul(q, n))

    def smaller(self, a, b) -> str:
        """min(a, b)"""
        return self.do(f"call i64 @llvm.smin.i64(i64 {a}, i64 {b})")

    def test(self, how: str, a, b) -> str:
        """A comparison: eq, ne, slt, sle, sgt, sge."""
        return self.do(f"icmp {how} i64 {a}, {b}")

    def pick(self, condition, a, b, t: str = "i64") -> str:
        """a if condition else b"""
        return self.do(f"select i1 {condition}, {t} {a}, {t} {b}")

    def at(self, pointer, offset) -> str:
        """The address so many bytes further on."""
        return self.do(f"getelementptr i8, ptr {pointer}, i64 {offset}")

    def word(self, block, i: int, t: str = "i64") -> str:
        """Word number ``i`` of a block."""
        return self.do(f"load {t}, ptr {self.do(f'getelementptr i64, ptr {block}, i64 {i}')}")

    def slot(self, t: str = "i64", count: int = 1) -> str:
        """Memory on the stack."""
        name = "%" + self.fresh("s")
        self._stack.append(f"  {name} = alloca {t}, i64 {count}, align 64")
        return name

    def loop(self, start, stop, body, step=1) -> str:
        """``for (i = start; i + step <= stop; i += step)``; returns where it stopped."""
        place, (head, inside, done) = self.slot(), [self.fresh(n) for n in ("head", "body", "done")]
        self.say(f"store i64 {start}, ptr {place}")
        self.say(f"br label %{head}")
        self.label(head)
        i = self.do(f"load i64, ptr {place}")
        following = self.add(i, step)
        self.say(f"br i1 {self.test('sle', following, stop)}, label %{inside}, label %{done}")
        self.label(inside)
        body(i)
        self.say(f"store i64 {following}, ptr {place}")
        self.say(f"br label %{head}")
        self.label(done)
        return i

    def when(self, condition, body, otherwise=None):
        """if condition: body() else: otherwise()"""
        yes, no, done = [self.fresh(n) for n in ("yes", "no", "done")]
        self.say(f"br i1 {condition}, label %{yes}, label %{no}")
        self.label(yes)
        body()
        self.say(f"br label %{done}")
        self.label(no)
        if otherwise:
            otherwise()
        self.say(f"br label %{done}")
        self.label(done)
