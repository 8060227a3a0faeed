"""Functions with `global` and `nonlocal` statements run in parts, too, where one of their statements cannot be recorded."""
import types

from test_parts import close, parts_of, trained

import kobai as torch
from kobai.compile.parts import cut

running, seen = 0.0, 0  # as many introductions count


def test_functions_that_declare_global_and_nonlocal_variables_are_cut():
    def run(compile):
        global running, seen
        running, seen, most = 0.0, 0, 0.0
        lines = []
        _, opt = trained(state := types.SimpleNamespace())

        def step(x, k):
            """With a text."""
            global running, seen
            nonlocal most
            opt.zero_grad()
            loss = state.model(x).square().mean()
            loss.backward()
            opt.step()
            running += loss.item()
            size = (x.square() + 1).log().sum().sqrt()
            most = max(most, size.item())
            seen += len(x)
            if seen % 12 == 0:
                lines.append(f"{k} {running / 3:.3f} {most:.3f}")
                running = 0.0
            return (size * x).exp().mean().log() + seen
        fn = compile(step)
        results = [fn(torch.linspace(-1, 1, 12).reshape(4, 3) * (k + 1) / 9, k).item() for k in range(12)]
        return results, running, seen, most, lines, fn
    plain, compiled = run(lambda f: f), run(torch.compile)
    close(plain[:4], compiled[:4])
    assert plain[4] == compiled[4] and plain[2] == 48
    assert sum(bool(v.programs) for p in parts_of(compiled[5]) for v in p.variants.values()) >= 2


def test_a_declaration_inside_of_a_statement_is_left_whole():
    def step(x):
        y = x.exp().sum()
        if y.item() > 0:
            global seen
            seen = 1
        return y.log()
    assert cut(step, (step.__code__.co_firstlineno + 2, None), torch.compile) is None
