"""Products of tiny matrices: three loops, compiled in a tenth of the time that the blocks of `kobai.backends.gemm` take.

A program whose largest product is that of one neuron should not wait for them.
"""

from __future__ import annotations

from kobai.backends.gemm import AT, Gemm
from kobai.backends.gemm_micro import shape_for

MOST = 512  # multiplications
_LEAST, _ALL = 128, 1 << 13  # those of one matrix, and of a batch, that make blocks worth while: they are four times as fast


def fits(work: int, count: int) -> bool:
    """Whether products of so many matrices, of ``work`` multiplications each, are done by these loops."""
    return work <= MOST and (work <= _LEAST or work * count <= _ALL)


class Tiny(Gemm):
    """Writes the functions of `kobai.backends.gemm`, under the same names and for the same words."""

    def __init__(self, t: str, vector_bytes: int, triple: str):
        super().__init__(t, shape_for({"float": 4, "double": 8}[t], vector_bytes, triple))

    def text(self) -> str:
        """All functions."""
        self._entries()
        return "\n".join(self.lines)

    def _run(self):
        """The matrices ``begin`` to ``end`` of the batch, each a tile."""
        w = {name: self.word("%words", i) for name, i in AT.items() if name not in ("alpha", "beta")}
        for name in ("alpha", "beta"):
            number = self.word("%words", AT[name], "double")
            w[name] = number if self.t == "double" else self.do(f"fptrunc double {number} to float")
        given, place = self.do("icmp ne ptr %e, null"), self.slot(self.t)

        def matrix(i):
            outer, inner = self._split(i, w["inner"])
            base = {x: self.at("%" + x, self.add(self.mul(outer, w["outer_" + x]), self.mul(inner, w["inner_" + x])))
                    for x in "abce"}  # fmt: skip
            self.loop("0", w["m"], lambda r: self.loop("0", w["n"], lambda c: element(base, r, c)))

        def element(base, r, c):
            left, right = self.at(base["a"], self.mul(r, w["row_a"])), self.at(base["b"], self.mul(c, w["col_b"]))
            self.say(f"store {self.t} 0.0, ptr {place}")

            def step(p):
                x = self._number(self.at(left, self.mul(p, w["col_a"])))
                y = self._number(self.at(right, self.mul(p, w["row_b"])))
                product = self.do(f"fmul {self.t} {x}, {y}")
                self.say(f"store {self.t} {self.do(f'fadd {self.t} {self._number(place)}, {product}')}, ptr {place}")

            def more():
                old = self._number(self.at(self.at(base["e"], self.mul(r, w["row_e"])), shift))
                scaled = self.do(f"fmul {self.t} {old}, {w['beta']}")
                self.say(f"store {self.t} {self.do(f'fadd {self.t} {self._number(place)}, {scaled}')}, ptr {place}")

            self.loop("0", w["k"], step)
            shift = self.mul(c, self.size)
            alpha = w["alpha"]
            self.say(f"store {self.t} {self.do(f'fmul {self.t} {self._number(place)}, {alpha}')}, ptr {place}")
            self.when(given, more)
            target = self.at(self.at(base["c"], self.mul(r, w["row_c"])), shift)
            self.say(f"store {self.t} {self._number(place)}, ptr {target}")

        self.loop("%begin", "%end", matrix)

    def _number(self, address) -> str:
        return self.do(f"load {self.t}, ptr {address}")
