"""Recurrent layers over whole sequences: one op a layer and direction, with its own way back through time.

The rows of all time steps lie one after the other, as in a PackedSequence: `sizes` has the number of
examples at each step, which never grows. So one layout serves sequences of equal and of different lengths.
"""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..autograd.node import Node, shown_edge
from ..op import Op, dtype_of, m
from ..testing.samples import S
from .index import Index
from .join import Cat
from .split import Split


# ---- rows and steps --------------------------------------------------------------------------
@lru_cache(256)
def steps(sizes, reverse):
    """(first row, end, examples, examples of the step before) of each step, in the order of time or against it."""
    out, at, known = [], 0, 0
    for n in sizes:
        out.append((at, at + n, n))
        at += n
    ordered = []
    for a, b, n in reversed(out) if reverse else out:
        ordered.append((a, b, n, known))
        known = n
    return ordered


@lru_cache(256)
def rows_before(sizes, reverse):
    """For each row, where the state before it is: a row, or behind all rows an initial state."""
    total, where, before = sum(sizes), np.empty(sum(sizes), np.int64), None
    for a, b, n, known in steps(sizes, reverse):
        where[a:b] = total + np.arange(n)
        if before is not None:
            where[a:a + min(n, known)] = before + np.arange(min(n, known))
        before = a
    return where


@lru_cache(256)
def last_rows(sizes, reverse):
    """The row of each example's last state."""
    where = np.empty(sizes[0] if sizes else 0, np.int64)
    for a, _, n, _ in steps(sizes, reverse):
        where[:n] = a + np.arange(n)
    return where


def before(state, initial, sizes, reverse):
    """The states before each row, from those after it and the initial ones."""
    n = sizes[0]
    if sizes[-1] == n:
        total = n * len(sizes)
        return Cat(0)(state[n:], initial) if reverse else Cat(0)(initial, state[:total - n])
    return Index((0,))(Cat(0)(state, initial), rows_before(sizes, reverse))


def fitting(state, initial, n, known):
    """The state of `n` examples where `known` had one: those that end drop out, those that begin come in."""
    if n <= known:
        return state[:n]
    return initial[:n] if not known else np.concatenate([state, initial[known:n]])


class Back:
    """Gradients of the state on their way back: one step at a time, whose examples differ in number."""

    def __init__(self):
        self.carry, self.initial = None, []

    def arriving(self, n):
        """What comes from the step after, for n examples; None from nowhere."""
        g = self.carry
        if g is not None and g.shape[0] < n:
            return Cat(0)(g, np.zeros((n - g.shape[0], *g.shape[1:]), dtype_of(g)))
        return g

    def leave(self, g, n, known):
        """Hand on to the step before, which had `known` examples; the rest is for the initial state."""
        if known < n:
            self.initial.append(g[known:])
            g = g[:known] if known else None
        self.carry = g

    def of_initial(self, like):
        """The gradient of the initial state."""
        parts = self.initial[::-1]
        return parts[0] if len(parts) == 1 else Cat(0)(*parts) if parts else m.zeros_like(like)


def add(a, b):
    """a + b, where None is nothing."""
    return b if a is None else a if b is None else a + b


def part(g, a, b):
    return None if g is None else g[a:b]


def logistic_of_minus(x):
    """1 / (1 + exp(x)) in place."""
    np.exp(x, out=x)
    x += 1
    np.reciprocal(x, out=x)


def ordered(x, size):
    """Columns i, f, n, o as -i, -f, -o, n in memory of their own: then one logistic serves three gates."""
    y = np.empty(x.shape, x.dtype)
    np.multiply(x[:, :2 * size], -1, out=y[:, :2 * size])  # np.negative of a column is wrong where rows have 16 bytes
    np.multiply(x[:, 3 * size:], -1, out=y[:, 2 * size:3 * size])
    y[:, 3 * size:] = x[:, 2 * size:3 * size]
    return y


def state_before(state, initial, step, reverse):
    """The state before one of `steps`."""
    a, e, n, known = step
    if not known:
        return initial[:n]
    there = state[e:e + known] if reverse else state[a - known:a - known + n]
    return there if n <= known else Cat(0)(there, initial[known:n])


def by_step(factors, known, *states):
    """A function of a step that gives its part of `factors(*known, *states before)`, which are rows like those known.

    `states` are (state, initial). Of arrays all are made at once, which NumPy is fast at; otherwise step by step,
    so that a compiler makes them where they are needed, in the same loop.
    """
    def function(sizes, reverse):
        if all(isinstance(v, np.ndarray) for v in (*known, *[v for pair in states for v in pair])):
            made = factors(*known, *[before(*pair, sizes, reverse) for pair in states])
            return lambda step: [v[step[0]:step[1]] for v in made]
        return lambda step: factors(*[v[step[0]:step[1]] for v in known],
                                    *[state_before(*pair, step, reverse) for pair in states])
    return function


def joined(parts, sizes, reverse):
    """What each step gave, last step first, as rows."""
    return Cat(0)(*(parts if reverse else parts[::-1]))


class _Sequence(Op):
    sizes: tuple
    reverse: bool = False

    @property
    def level(self):
        """Whether each step has as many examples as the first, and there is one."""
        return bool(self.sizes) and self.sizes[-1] == self.sizes[0]

    def of_weights(self, d, h, initial, needs):
        """Gradients of the recurrent weight and bias from those of what they gave, `d`."""
        w = m.matmul(m.swap(d), before(h, initial, self.sizes, self.reverse)) if needs[0] else None
        return w, m.sum(d, 0) if needs[1] else None


# ---- the layers ------------------------------------------------------------------------------
class RnnTanh(_Sequence):
    """h = tanh(x + w h' + b), h' the state before.

    x (rows, H) is what the input contributes, h0 (examples, H), w (H, H) -> (rows, H).
    """

    samples = [S((6, 3), (2, 3), (3, 3), (3,), params=((2, 2, 2),)), S((6, 2), (3, 2), (2, 2), None,
                                                                       params=((3, 2, 1), True)),
               S((6, 2), (3, 2), (2, 2), (2,), params=((3, 2, 1),))]

    def forward(self, x, h0, w, b):
        y = np.array(x) if b is None else x + b
        h, turned = h0, np.array(w.T, order="C")
        for a, e, n, known in steps(self.sizes, self.reverse):
            now = y[a:e]
            now += np.dot(fitting(h, h0, n, known), turned)
            h = self.activate(now)
        return y

    def lower(self, x, h0, w, b):
        if not self.level:
            return None
        turned, h, made = m.swap(w), h0, []
        for a, e, _, _ in steps(self.sizes, self.reverse):
            given = m.matmul(h, turned) if b is None else m.matmul(h, turned) + b
            h = self.activated(x[a:e] + given)
            made.append(h)
        return joined(made[::-1], self.sizes, self.reverse)

    def activate(self, x):
        return np.tanh(x, out=x)

    def activated(self, x):
        return m.tanh(x)

    def slope(self, y):
        return 1 - y * y

    def vjp(self, g, h0, w, y, needs):
        needs = tuple(needs) + (False,) * (4 - len(needs))
        back, parts, slope = Back(), [], by_step(lambda y: (self.slope(y),), (y,))(self.sizes, self.reverse)
        for step in reversed(steps(self.sizes, self.reverse)):
            a, e, n, known = step
            d = add(g[a:e], back.arriving(n)) * slope(step)[0]
            parts.append(d)
            back.leave(d @ w, n, known)
        d = joined(parts, self.sizes, self.reverse)
        return d, back.of_initial(h0), *self.of_weights(d, y, h0, needs[2:])


class RnnRelu(RnnTanh):
    """h = max(x + w h' + b, 0), h' the state before."""

    samples = [S((4, 3), (2, 3), (3, 3), (3,), params=((2, 2),))]

    def activate(self, x):
        return np.maximum(x, 0, out=x)

    def activated(self, x):
        return m.relu(x)

    def slope(self, y):
        return m.cast(m.gt(y, 0), dtype_of(y))


class LstmSequence(_Sequence):
    """c = f c' + i n, h = o tanh(c) (times `project`): h', c' the state before, i, f, o, n the gates.

    x (rows, 4 H) is what the input contributes to the gates i, f, n, o; h0 (examples, P), c0 (examples,
    H), w (4 H, P), project (P, H) or None -> h (rows, P), c (rows, H) and the gates, which gradients need.
    """

    grad_name = "MkldnnRnnLayerBackward0"
    outputs = "many"
    samples = [S((6, 8), (2, 2), (2, 2), (8, 2), (8,), None, params=((2, 2, 2),)),
               S((6, 8), (3, 1), (3, 2), (8, 1), None, (1, 2), params=((3, 2, 1),)),
               S((6, 4), (3, 1), (3, 1), (4, 1), (4,), None, params=((3, 2, 1), True))]

    def forward(self, x, h0, c0, w, b, project):
        size = c0.shape[1]
        gates, turned = ordered(x if b is None else x + b, size), ordered(w.T, size)
        h, c = np.empty((len(x), h0.shape[1]), x.dtype), np.empty((len(x), size), x.dtype)
        last_h, last_c = h0, c0
        with np.errstate(over="ignore"):
            for a, e, n, known in steps(self.sizes, self.reverse):
                now = gates[a:e]
                now += np.dot(fitting(last_h, h0, n, known), turned)
                logistic_of_minus(now[:, :3 * size])
                new = now[:, 3 * size:]
                np.tanh(new, out=new)
                memory = np.multiply(now[:, size:2 * size], fitting(last_c, c0, n, known), out=c[a:e])
                memory += now[:, :size] * new
                last_h, last_c = h[a:e], memory
                if project is None:
                    np.multiply(np.tanh(memory), now[:, 2 * size:3 * size], out=last_h)
                else:
                    np.dot(np.tanh(memory) * now[:, 2 * size:3 * size], project.T, out=last_h)
        return h, c, gates

    def shown(self, node):
        """PyTorch's layer takes the weights of the input, too, which are an op of their own here."""
        x, h0, c0, w, b, project = [*node.edges, None][:6]
        behind = x.edges if isinstance(x, Node) and len(x.edges) in (2, 3) and x.op.inputs[:2] == ("x", "weight") else None
        if behind is None:
            return tuple([shown_edge(e) for e in node.edges])
        x, w_ih, b_ih = [*behind, None][:3]
        rows = isinstance(x, Node) and x.op is not None and "shape" in x.op.fields and len(x.edges) == 1
        given = x.next_functions[0] if rows else shown_edge(x)  # the steps, of which these are the rows
        return given, *[shown_edge(e) for e in (w_ih, w, b_ih, b, h0, c0, *[project] * (project is not None))]

    def lower(self, x, h0, c0, w, b, project):
        if not self.level:
            return None
        parts, turned = Split((c0.shape[1],) * 4, 1), m.swap(w)
        h, c, made = h0, c0, []
        for a, e, _, _ in steps(self.sizes, self.reverse):
            given = m.matmul(h, turned) if b is None else m.matmul(h, turned) + b
            i, f, n, o = [u + v for u, v in zip(parts(x[a:e]), parts(given))]
            i, f, o, n = m.sigmoid(i), m.sigmoid(f), m.sigmoid(o), m.tanh(n)
            c = f * c + i * n
            h = o * m.tanh(c)
            h = h if project is None else m.matmul(h, m.swap(project))
            made.append((h, c, Cat(1)(i, f, o, n)))
        return tuple([joined(some[::-1], self.sizes, self.reverse) for some in zip(*made)])

    def vjp(self, g, h0, c0, w, project, y, needs):
        needs, size = tuple(needs) + (False,) * (6 - len(needs)), c0.shape[1]
        (g_h, g_c, g_gates), (h, c, gates) = g, y
        i, f, o, n = Split((size,) * 4, 1)(gates)
        factors = by_step(self.factors, (i, f, o, n, c), (c, c0))(self.sizes, self.reverse)
        extra = None
        if g_gates is not None:
            g_i, g_f, g_o, g_n = Split((size,) * 4, 1)(g_gates)
            extra = Cat(1)(g_i * (i * (1 - i)), g_f * (f * (1 - f)), g_n * (1 - n * n), g_o * (o * (1 - o)))
        of_h, of_c, parts, hs = Back(), Back(), [], []
        for step in reversed(steps(self.sizes, self.reverse)):
            a, e, k, known = step
            by_i, by_f, by_n, by_out, c_by_out = factors(step)
            d_h = add(part(g_h, a, e), of_h.arriving(k))
            d_h = np.zeros((k, h0.shape[1]), dtype_of(h)) if d_h is None else d_h
            hs.append(d_h)
            d_h = d_h if project is None else d_h @ project
            d_c = add(add(d_h * c_by_out, of_c.arriving(k)), part(g_c, a, e))
            d = Cat(1)(d_c * by_i, d_c * by_f, d_c * by_n, d_h * by_out)
            d = d if extra is None else d + extra[a:e]
            parts.append(d)
            of_h.leave(d @ w, k, known)
            of_c.leave(d_c * f[a:e], k, known)
        d = joined(parts, self.sizes, self.reverse)
        g_project = m.matmul(m.swap(joined(hs, self.sizes, self.reverse)), o * m.tanh(c)) if needs[5] else None
        return d, of_h.of_initial(h0), of_c.of_initial(c0), *self.of_weights(d, h, h0, needs[3:]), g_project

    @staticmethod
    def factors(i, f, o, n, c, c_before):
        """What gradients are multiplied by: that of c for those of i, f, n; that of h for those of o and of c."""
        t = m.tanh(c)
        return n * (i * (1 - i)), c_before * (f * (1 - f)), i * (1 - n * n), t * (o * (1 - o)), o * (1 - t * t)


LstmSequence.Node.materialize_grads = False


class GruSequence(_Sequence):
    """h = n + z (h' - n) with n = tanh(x_n + r (w_n h' + b_n)): h' the state before, r and z gates.

    x (rows, 3 H) is what the input contributes to r, z, n; h0 (examples, H), w (3 H, H) -> h (rows, H),
    the gates, and w_n h' + b_n, which gradients need.
    """

    grad_name = "GruBackward0"
    outputs = "many"
    samples = [S((6, 6), (2, 2), (6, 2), (6,), params=((2, 2, 2),)), S((6, 3), (3, 1), (3, 1), None,
                                                                       params=((3, 2, 1), True)),
               S((6, 3), (3, 1), (3, 1), (3,), params=((3, 2, 1),))]

    def forward(self, x, h0, w, b):
        size, gates, turned = h0.shape[1], np.array(x), np.array(w.T, order="C")
        for y in (gates, turned):
            y[:, :2 * size] *= -1
        if b is not None:
            b = np.concatenate([-b[:2 * size], b[2 * size:]])
        h, inner = np.empty((len(x), size), x.dtype), np.empty((len(x), size), x.dtype)
        last = h0
        with np.errstate(over="ignore"):
            for a, e, n, known in steps(self.sizes, self.reverse):
                last = fitting(last, h0, n, known)
                given = np.dot(last, turned)
                if b is not None:
                    given += b
                now = gates[a:e]
                two, new = now[:, :2 * size], now[:, 2 * size:]
                two += given[:, :2 * size]
                logistic_of_minus(two)
                inner[a:e] = given[:, 2 * size:]
                new += two[:, :size] * given[:, 2 * size:]
                np.tanh(new, out=new)
                after = np.subtract(last, new, out=h[a:e])
                after *= two[:, size:]
                after += new
                last = after
        return h, gates, inner

    def lower(self, x, h0, w, b):
        if not self.level:
            return None
        parts, turned, h, made = Split((h0.shape[1],) * 3, 1), m.swap(w), h0, []
        for a, e, _, _ in steps(self.sizes, self.reverse):
            given = m.matmul(h, turned)
            r, z, inner = parts(given if b is None else given + b)
            x_r, x_z, x_n = parts(x[a:e])
            r, z = m.sigmoid(x_r + r), m.sigmoid(x_z + z)
            n = m.tanh(x_n + r * inner)
            h = (h - n) * z + n
            made.append((h, Cat(1)(r, z, n), inner))
        return tuple([joined(some[::-1], self.sizes, self.reverse) for some in zip(*made)])

    def vjp(self, g, h0, w, y, needs):
        needs, size = tuple(needs) + (False,) * (4 - len(needs)), h0.shape[1]
        (g_h, g_gates, g_inner), (h, gates, inner) = g, y
        r, z, n = Split((size,) * 3, 1)(gates)
        factors, extra = by_step(self.factors, (r, z, n, inner), (h, h0))(self.sizes, self.reverse), None
        if g_gates is not None:
            extra = g_gates * Cat(1)(r * (1 - r), z * (1 - z), 1 - n * n)
        back, of_x, of_given = Back(), [], []
        for step in reversed(steps(self.sizes, self.reverse)):
            a, e, k, known = step
            of_r, of_z, of_n = factors(step)
            d_h = add(part(g_h, a, e), back.arriving(k))
            d_h = np.zeros((k, size), dtype_of(h)) if d_h is None else d_h
            d_n, d_z = d_h * of_n, d_h * of_z
            if extra is not None:
                d_n, d_z = d_n + extra[a:e][:, 2 * size:], d_z + extra[a:e][:, size:2 * size]
            d_r = d_n * of_r
            d_r = d_r if extra is None else d_r + extra[a:e][:, :size]
            of_x.append(Cat(1)(d_r, d_z, d_n))
            d = Cat(1)(d_r, d_z, add(d_n * r[a:e], part(g_inner, a, e)))
            of_given.append(d)
            back.leave(d_h * z[a:e] + d @ w, k, known)
        d = joined(of_given, self.sizes, self.reverse)
        return (joined(of_x, self.sizes, self.reverse), back.of_initial(h0),
                *self.of_weights(d, h, h0, needs[2:]))

    @staticmethod
    def factors(r, z, n, inner, h_before):
        """What gradients are multiplied by: that of n for r, that of h for z and n."""
        return inner * (r * (1 - r)), (h_before - n) * (z * (1 - z)), (1 - z) * (1 - n * n)


GruSequence.Node.materialize_grads = False
