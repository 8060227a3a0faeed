"""What the gates of recurrent cells do, one op a cell: the rest of a cell is matrix products."""
from __future__ import annotations

from ..op import Op, m
from ..testing.samples import S
from .join import Cat
from .split import Split


class LstmCell(Op):
    """The gates of an LSTM (Hochreiter and Schmidhuber 1997, with a forget gate).

    `x` and `h` are what the input and the last output contribute to the four gates i, f, g, o, each
    (N, 4 hidden), and `c` the last memory. With i, f, o = σ(x + h) and g = tanh(x + h) in their places,
    c' = f c + i g is the new memory and o tanh(c') the output. The third result are the gates, which
    the gradient needs.
    """

    grad_name = "MulBackward0"      # what PyTorch shows as the origin of the output
    outputs = "many"
    samples = [S((2, 12), (2, 12), (2, 3)), S((1, 4), (1, 4), (1, 1))]

    def forward(self, x, h, c):
        return self.lower(x, h, c)

    def lower(self, x, h, c):
        n = c.shape[-1]
        i, f, g, o = Split((n,) * 4, 1)(x + h)
        i, f, g, o = m.sigmoid(i), m.sigmoid(f), m.tanh(g), m.sigmoid(o)
        c = f * c + i * g
        return o * m.tanh(c), c, Cat(1)(i, f, g, o)

    def vjp(self, g, c, y, needs):
        n = c.shape[-1]
        i, f, new, o = Split((n,) * 4, 1)(y[2])
        d_i, d_f, d_new, d_o = Split((n,) * 4, 1)(g[2])
        tanh_c = m.tanh(y[1])
        d_c = g[1] + g[0] * o * (1 - tanh_c * tanh_c)
        gates = Cat(1)((d_i + d_c * new) * (i * (1 - i)), (d_f + d_c * c) * (f * (1 - f)),
                       (d_new + d_c * i) * (1 - new * new), (d_o + g[0] * tanh_c) * (o * (1 - o)))
        return gates, gates, d_c * f


class GruCell(Op):
    """The gates of a GRU (Cho et al. 2014), with the reset gate after the multiplication.

    `x` and `h` are what the input and the last state contribute to the three gates r, z, n, each
    (N, 3 hidden), and `s` the last state. With r, z = σ(x + h) and n = tanh(x + r h) in their places,
    the new state is (s − n) z + n. The second result are the gates, which the gradient needs.
    """

    grad_name = "AddBackward0"      # what PyTorch shows as the origin of the new state
    outputs = "many"
    samples = [S((2, 9), (2, 9), (2, 3)), S((1, 3), (1, 3), (1, 1))]

    def forward(self, x, h, s):
        return self.lower(x, h, s)

    def lower(self, x, h, s):
        n = s.shape[-1]
        (x_r, x_z, x_n), (h_r, h_z, h_n) = Split((n,) * 3, 1)(x), Split((n,) * 3, 1)(h)
        r, z = m.sigmoid(x_r + h_r), m.sigmoid(x_z + h_z)
        new = m.tanh(x_n + r * h_n)
        return (s - new) * z + new, Cat(1)(r, z, new)

    def vjp(self, g, h, s, y, needs):
        n = s.shape[-1]
        r, z, new = Split((n,) * 3, 1)(y[1])
        d_r, d_z, d_new = Split((n,) * 3, 1)(g[1])
        h_n = Split((n,) * 3, 1)(h)[2]
        d_n = (d_new + g[0] * (1 - z)) * (1 - new * new)
        d_r = (d_r + d_n * h_n) * (r * (1 - r))
        d_z = (d_z + g[0] * (s - new)) * (z * (1 - z))
        return Cat(1)(d_r, d_z, d_n), Cat(1)(d_r, d_z, d_n * r), g[0] * z
