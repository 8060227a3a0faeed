"""Fit the polynomials of src/kobai/compile/coefficients.py and print that file.

    python tools/fit_polynomials.py > src/kobai/compile/coefficients.py       (needs mpmath; a minute)

Each polynomial nearly minimises the largest weighted error over an interval.  Coefficients are then
rounded to the working type one after the other, from the one that matters most, and the rest fitted again
to what rounding left over.
"""

import mpmath
import numpy as np
from mpmath import mp, mpf

mp.prec = 300


def nearly_minimax(target, weight, interval, degrees):
    """Coefficients c of small max |weight(x) * (target(x) - sum c_i x**degrees_i)| over the interval.

    Least squares over Chebyshev points, then three times over with the larger errors weighing more
    (Lawson's iteration), which ends within a few per cent of the minimax polynomial.
    """
    low, high = map(mpf, interval)
    count = 8 * len(degrees) + 8
    points = [
        (low + high) / 2 - (high - low) / 2 * mpmath.cos(mpmath.pi * (i + 0.5) / count) for i in range(count)
    ]
    values = [target(x) for x in points]
    weights = [weight(x) for x in points]
    importance = [mpf(1)] * count
    best, best_error = None, None
    for _ in range(8):
        rows = mpmath.matrix(len(degrees), len(degrees))
        right = mpmath.matrix(len(degrees), 1)
        for x, y, w, v in zip(points, values, weights, importance):
            powers = [w * x**d if d else w for d in degrees]
            for i, p in enumerate(powers):
                right[i] += v * p * w * y
                for j, q in enumerate(powers):
                    rows[i, j] += v * p * q
        c = list(mpmath.lu_solve(rows, right))
        errors = [abs(w * (y - polynomial(c, degrees, x))) for x, y, w in zip(points, values, weights)]
        if best is None or max(errors) < best_error:
            best, best_error = c, max(errors)
        mean = sum(v * e for v, e in zip(importance, errors)) / sum(importance)
        importance = [v * (e / mean + mpf("0.01")) for v, e in zip(importance, errors)]
    return best


def polynomial(c, degrees, x):
    return sum(ci * (x**d if d else 1) for ci, d in zip(c, degrees))


def fit(target, weight, interval, degrees, dtype, exact=None):
    """Rounded coefficients by degree, and log2 of the largest weighted error left."""
    done = dict(exact or {})
    order = [d for d in degrees if d not in done]

    def rest(x):
        return target(x) - sum(v * (x**d if d else 1) for d, v in done.items())

    while order:
        c = nearly_minimax(rest, weight, interval, order)
        done[order[0]] = mpf(float(dtype(float(c[0]))) if dtype is np.float32 else float(c[0]))
        order = order[1:]
    low, high = map(mpf, interval)
    grid = [low + (high - low) * i / 500 for i in range(501)]
    error = max(abs(weight(x) * rest(x)) for x in grid)
    return [float(done[d]) for d in sorted(done)], float(mpmath.log(error, 2))


def split(value, bits, parts):
    """A number as a sum of floats of ``bits`` significant bits (the last one in full)."""
    out = []
    for _ in range(parts - 1):
        mantissa, exponent = mpmath.frexp(value)
        head = mpmath.ldexp(mpmath.nint(mpmath.ldexp(mantissa, bits)), int(exponent) - bits)
        out.append(float(head))
        value -= head
    return [*out, float(value)]


LN2, HALF_PI = mpmath.log(2), mpmath.pi / 2
TINY = mpf(2) ** -80


def _series(f, removed, power):
    """(f(x) - removed(x)) / x**power, by way of points near zero where it cancels."""

    def g(x):
        x = x if abs(x) > TINY else TINY
        with mp.workprec(600):
            return (f(x) - removed(x)) / x**power

    return g


def one(x):
    return mpf(1)


def polynomials():
    """name: (f32 fit, f64 fit), each (target, weight, interval, degrees)."""
    h = LN2 / 2 * mpf("1.001")
    exp_rest = _series(mpmath.exp, lambda x: 1 + x, 2)
    low, high = mpmath.sqrt(mpf(1) / 2) - 1 - mpf("1e-7"), mpmath.sqrt(mpf(2)) - 1 + mpf("1e-7")
    log_rest = _series(lambda x: mpmath.log(1 + x), lambda x: x - x * x / 2, 3)

    def atanh_rest(z):  # (log((1+s)/(1-s)) - 2s) / s**3 with z = s*s
        s = mpmath.sqrt(max(z, TINY))
        with mp.workprec(600):
            return (2 * mpmath.atanh(s) - 2 * s) / s**3

    def odd(f, lead):
        def g(z):
            x = mpmath.sqrt(max(z, TINY))
            with mp.workprec(600):
                return (f(x) - lead * x) / x**3

        return g

    def cos_rest(z):
        x = mpmath.sqrt(max(z, TINY))
        with mp.workprec(600):
            return (mpmath.cos(x) - 1 + x * x / 2) / x**4

    quarter = (mpmath.pi / 4 * mpf("1.001")) ** 2
    s_max = ((mpmath.sqrt(2) - 1) / (mpmath.sqrt(2) + 1) * mpf("1.0001")) ** 2

    def erf_small(z):
        x = mpmath.sqrt(max(z, TINY))
        return mpmath.erf(x) / x - 1

    def power(n):  # the weight of what is left after x**n was taken out; not 0, which would divide
        return lambda x: abs(x) ** n + mpf("1e-5")

    def log_erfc(x):
        return mpmath.log(mpmath.erfc(x))

    erfc = mpmath.erfc
    f32, f64 = np.float32, np.float64
    yield "EXP", f32, (exp_rest, power(2), (-h, h), range(5))
    yield "EXP", f64, (exp_rest, power(2), (-h, h), range(10))
    yield "EXP_SHORT", f32, (mpmath.exp, one, (-h, h), range(6))
    yield "EXP_SHORT", f64, (mpmath.exp, one, (-h, h), range(12))
    yield "LOG", f32, (log_rest, power(2), (low, high), range(9))
    yield "LOG", f64, (atanh_rest, power(1), (0, s_max), range(7))
    yield "LOG_LONG", f64, (atanh_rest, power(1), (0, s_max), range(9))
    yield "SIN", f32, (odd(mpmath.sin, 1), power(1), (0, quarter), range(3))
    yield "SIN", f64, (odd(mpmath.sin, 1), power(1), (0, quarter), range(6))
    yield "COS", f32, (cos_rest, power(2), (0, quarter), range(3))
    yield "COS", f64, (cos_rest, power(2), (0, quarter), range(6))
    yield "ATAN", f32, (odd(mpmath.atan, 1), power(1), (0, 1), range(9))
    yield "ATAN", f64, (odd(mpmath.atan, 1), power(1), (0, 1), range(20))
    yield "TANH", f32, (odd(mpmath.tanh, 1), power(1), (0, mpf("0.71") ** 2), range(5))
    yield "TANH", f64, (odd(mpmath.tanh, 1), power(1), (0, mpf("0.71") ** 2), range(13))
    yield "ERF_SMALL", f32, (erf_small, one, (0, mpf("0.95") ** 2), range(6))
    yield "ERF_SMALL", f64, (erf_small, one, (0, 1), range(13))
    yield "ERF_LARGE", f32, (log_erfc, lambda x: erfc(x), (mpf("0.92"), mpf("3.95")), range(7))
    yield "ERF_LARGE", f64, (log_erfc, lambda x: erfc(x), (1, mpf("5.95")), range(20))


def tables():
    """Odd functions that reach 1: name, function, its slope at 0, what is added to y at last, width of the intervals, degree."""
    yield "tanh", mpmath.tanh, mpf(1), 0, 149 / 512, 5
    yield "erf", mpmath.erf, 2 / mpmath.sqrt(mpmath.pi), 1, 65 / 512, 4


def unit(value):
    """What the last place of a number in f32 is worth."""
    return mpf(2) ** (int(mpmath.floor(mpmath.log(value, 2))) - 23)


def table(f, slope, added, width, degree):
    """[(coefficient of y**i for each of 32 intervals) for each i], and the largest error left, in units in the last place.

    Interval number j is that around j * width, of which y is the distance; there are no negative numbers in the first.
    The coefficients are those of f less ``added`` times y.
    """
    rows, worst = [], 0.0
    for j in range(32):
        middle, half = mpf(width) * j, mpf(width) / 2 * mpf("1.001")
        if j:
            target, weight = _around(f, middle, added)
            c, _ = fit(target, weight, (-half, half), list(range(degree + 1)), np.float32)
        else:
            rest = _series(f, lambda x: slope * x, 2)
            c, _ = fit(rest, lambda x: x + mpf("1e-6"), (0, half), list(range(degree - 1)), np.float32)
            c = [0.0, float(np.float32(float(slope - added))), *c]
        rows.append(c)
        for y in (half * i / 100 for i in range(-100 if j else 1, 101)):
            error = polynomial(c, range(degree + 1), y) + added * y - f(middle + y)
            worst = max(worst, float(abs(error) / unit(f(middle + y))))
    return list(zip(*rows)), worst


def _around(f, middle, added):
    """What the coefficients of an interval are to give, and the weight of an error there."""
    return lambda y: f(middle + y) - added * y, lambda y: 1 / unit(f(middle + y))


def main():
    print('"""Polynomials and constants of compile/approximate.py; written by tools/fit_polynomials.py."""\n')
    print("# (name, type): coefficients, lowest degree first; the comment is log2 of the error left.")
    print("POLYNOMIALS = {")
    for name, dtype, (target, weight, interval, degrees) in polynomials():
        c, error = fit(target, weight, interval, list(degrees), dtype)
        short = "f32" if dtype is np.float32 else "f64"
        print(f'    ("{name}", "{short}"): (  # {error:.1f}')
        for v in c:
            print(f"        {v!r},")
        print("    ),", flush=True)
    print("}\n")
    print("# function in f32: what is added to y, width of the intervals, coefficients on each of them, lowest degree first.")
    print("TABLES: dict[str, tuple] = {")
    for name, *given in tables():
        columns, error = table(*given)
        print(f'    "{name}": (  # {error:.2f} ulp')
        print(f"        {given[2]},")
        print(f"        {given[3]!r},")
        for column in columns:
            print("        (")
            for i in range(0, 32, 4):
                print(f"            {', '.join(map(repr, column[i : i + 4]))},")
            print("        ),", flush=True)
        print("    ),")
    print("}\n")
    print("# (name, type): the number as a sum of parts; the leading parts of LN2 have few bits.")
    print("SPLIT = {")
    for name, value in (("LN2", LN2), ("HALF_PI", HALF_PI)):
        f32 = split(value, 24 if name == "HALF_PI" else 15, 3)
        f64 = split(value, 53 if name == "HALF_PI" else 42, 3)
        print(f'    ("{name}", "f32"): {tuple(float(np.float32(v)) for v in f32)!r},')
        print(f'    ("{name}", "f64"): {tuple(f64)!r},')
    print("}")


if __name__ == "__main__":
    main()
