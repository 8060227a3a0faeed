"""What the gates of recurrent cells do, one op a cell: the rest of a cell is matrix products."""
from __future__ import annotations

from ..autograd.node import chain, shown_edge
from ..op import Op, m
from ..testing.samples import S
from .join import Cat
from .split import Split, SplitWithSizes


class _Gates(Op):
    """Each row of the batch by itself; `lower` is the definition, in ops that the compiler knows."""

    outputs = "many"

    def batch(self, size, batched, values):
        """A batch of batches is one larger batch."""
        rows = values[0].shape[1]
        ys = self(*[m.reshape(v, (size * rows, v.shape[2])) for v in values])
        return tuple([m.reshape(y, (size, rows, y.shape[1])) for y in ys])


class LstmCell(_Gates):
    """The gates of an LSTM (Hochreiter and Schmidhuber 1997, with a forget gate).

    `x` and `h` are what the input and the last output contribute to the four gates i, f, g, o, each
    (N, 4 hidden), and `c` the last memory. With i, f, o = σ(x + h) and g = tanh(x + h) in their places,
    c' = f c + i g is the new memory and o tanh(c') the output. The third result are the gates, which
    the gradient needs.
    """

    grad_name = "MulBackward0"      # what PyTorch shows as the origin of the output
    common = ("x", "h", "c")        # under autocast x and h may be shorter than c
    samples = [S((2, 12), (2, 12), (2, 3)), S((1, 4), (1, 4), (1, 1))]

    def forward(self, x, h, c):
        return self.lower(x, h, c)

    def faces(self, node, number):
        """PyTorch's steps: the output is a product, the memory a sum."""
        return node if number == 0 else self._steps(node)[1][0]

    def shown(self, node):
        return self._steps(node)[0]

    @staticmethod
    def _steps(node):
        """(what the output is the product of, the edge of the memory)."""
        extras = node._extras()
        if "steps" not in extras:
            x, h, c = [shown_edge(e) for e in node.edges]
            parts = chain("UnsafeSplitBackward0", chain("AddBackward0", h, x))[0]
            i, f, new, o = [chain(name + "Backward0", (parts, k)) for k, name in enumerate(
                ("Sigmoid", "Sigmoid", "Tanh", "Sigmoid"))]
            c = chain("AddBackward0", chain("MulBackward0", f, c), chain("MulBackward0", i, new))
            extras["steps"] = (o, chain("TanhBackward0", c)), c
        return extras["steps"]

    def lower(self, x, h, c):
        n = c.shape[-1]
        both, new, o = SplitWithSizes((2 * n, n, n), 1)(x + h)
        both, new, o = m.sigmoid(both), m.tanh(new), m.sigmoid(o)
        i, f = Split((n, n), 1)(both)
        c = f * c + i * new
        return o * m.tanh(c), c, Cat(1)(both, new, o)

    def vjp(self, g, c, y, needs):
        n = c.shape[-1]
        i, f, new, o = Split((n,) * 4, 1)(y[2])
        d_i, d_f, d_new, d_o = Split((n,) * 4, 1)(g[2])
        tanh_c = m.tanh(y[1])
        d_c = g[1] + g[0] * o * (1 - tanh_c * tanh_c)
        gates = Cat(1)((d_i + d_c * new) * (i * (1 - i)), (d_f + d_c * c) * (f * (1 - f)),
                       (d_new + d_c * i) * (1 - new * new), (d_o + g[0] * tanh_c) * (o * (1 - o)))
        return gates, gates, d_c * f


class GruCell(_Gates):
    """The gates of a GRU (Cho et al. 2014), with the reset gate after the multiplication.

    `x` and `h` are what the input and the last state contribute to the three gates r, z, n, each
    (N, 3 hidden), and `s` the last state. With r, z = σ(x + h) and n = tanh(x + r h) in their places,
    the new state is (s − n) z + n. The second result are the gates, which the gradient needs.
    """

    grad_name = "AddBackward0"      # what PyTorch shows as the origin of the new state
    common = ("x", "h", "s")        # under autocast x and h may be shorter than s
    samples = [S((2, 9), (2, 9), (2, 3)), S((1, 3), (1, 3), (1, 1))]

    def forward(self, x, h, s):
        return self.lower(x, h, s)

    def shown(self, node):
        x, h, s = [shown_edge(e) for e in node.edges]
        x, h = [chain("UnsafeSplitBackward0", v)[0] for v in (x, h)]
        r, z = [chain("SigmoidBackward0", chain("AddBackward0", (h, k), (x, k))) for k in range(2)]
        new = chain("TanhBackward0", chain("AddBackward0", (x, 2), chain("MulBackward0", (h, 2), r)))
        return chain("MulBackward0", chain("SubBackward0", s, new), z), new

    def lower(self, x, h, s):
        n = s.shape[-1]
        parts = SplitWithSizes((2 * n, n), 1)
        (x_both, x_n), (h_both, h_n) = parts(x), parts(h)
        both = m.sigmoid(x_both + h_both)
        r, z = Split((n, n), 1)(both)
        new = m.tanh(x_n + r * h_n)
        return (s - new) * z + new, Cat(1)(both, new)

    def vjp(self, g, h, s, y, needs):
        n = s.shape[-1]
        r, z, new = Split((n,) * 3, 1)(y[1])
        d_r, d_z, d_new = Split((n,) * 3, 1)(g[1])
        h_n = Split((n,) * 3, 1)(h)[2]
        d_n = (d_new + g[0] * (1 - z)) * (1 - new * new)
        d_r = (d_r + d_n * h_n) * (r * (1 - r))
        d_z = (d_z + g[0] * (s - new)) * (z * (1 - z))
        return Cat(1)(d_r, d_z, d_n), Cat(1)(d_r, d_z, d_n * r), g[0] * z
