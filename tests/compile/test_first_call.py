"""A function that changes none of its variables is planned after its first call; any other, after the second or never.

What is expected are the numbers that the same function gives eagerly.
"""
import collections
import functools
import subprocess
import sys
import weakref

import numpy as np
import pytest

import kobai as torch

CALLS = 5


def alike(make):
    """The compiled function of `make(compile)`, whose calls gave what those of the function itself gave."""
    results = []
    for compile in (lambda fn: fn, torch.compile):
        torch.manual_seed(0)
        fn = make(compile)
        results.append([fn(torch.full((3,), float(k))).tolist() for k in range(CALLS)])
    assert np.allclose(*results, rtol=1e-5, atol=1e-6)
    return fn


def records(fn):
    variant, = fn.variants.values()
    assert variant.programs and fn.reason is None, fn.reason
    return variant.records


OPTIMIZERS = {
    "SGD": (lambda p: torch.optim.SGD(p, lr=0.1), 1),
    "Adam": (lambda p: torch.optim.Adam(p, lr=0.1), 1),
    "AdamW, amsgrad": (lambda p: torch.optim.AdamW(p, lr=0.1, amsgrad=True), 1),
    "RMSprop": (lambda p: torch.optim.RMSprop(p, lr=0.1), 1),
    "momentum": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), 1),
    "Nesterov": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1), 1),
    # whose first step keeps the gradient itself, and the others a part of it:
    "dampening": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5), 2),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_training_step(name):
    optimizer, expected = OPTIMIZERS[name]

    def make(compile):
        model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
        opt = optimizer(model.parameters())

        def step(x):
            opt.zero_grad()
            loss = model(x).square().sum()
            loss.backward()
            opt.step()
            return loss
        made.append(opt)
        return compile(step)
    made = []
    assert records(alike(make)) == expected
    eager, compiled = [opt.state_dict()["state"] for opt in made]
    assert eager.keys() == compiled.keys()
    for i in eager:
        assert list(eager[i]) == list(compiled[i])
        for key in eager[i]:
            assert torch.allclose(torch.as_tensor(eager[i][key]), torch.as_tensor(compiled[i][key]), rtol=1e-5), key


def test_the_first_call_may_find_gradients_that_stay():
    def make(compile):
        w = torch.ones(3, requires_grad=True)

        def step(x):
            (w * x).sum().backward()
            return w.grad.clone()
        return compile(step)
    alike(make)


class Count:
    def __init__(self):
        self.n, self.mask, self.seen, self.by = 0, None, [], {}


def counts(count, x):
    count.n += 1
    return x * count.n


def makes_a_mask(count, x):
    if count.mask is None:
        count.mask = x * 0 + 2
    return x * count.mask


def appends(count, x):
    count.seen.append(1)
    return x + len(count.seen)


def adds_a_key(count, x):
    count.by[len(count.by)] = 1
    return x + len(count.by)


def by_a_name_that_is_computed(count, x):
    setattr(count, "".join(("n", "")), count.n + 1)
    return x * count.n


@pytest.mark.parametrize("change", [counts, makes_a_mask, appends, adds_a_key, by_a_name_that_is_computed])
@pytest.mark.parametrize("where", ["closure", "argument", "attribute"])
def test_a_function_that_changes_what_it_depends_on(change, where):
    def make(compile):
        count = Count()
        if where == "closure":
            return compile(lambda x: change(count, x))
        if where == "argument":
            fast = compile(lambda c, x: change(c, x))
            return lambda x: fast(count, x)

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.count = count

            def forward(self, x):
                return change(self.count, x)
        return compile(Model())
    alike(make)


def test_a_variable_of_an_enclosing_function():
    def make(compile):
        n = 0

        def f(x):
            nonlocal n
            n += 1
            return x * n
        return compile(f)
    alike(make)


total = 0


def _adds_to_the_total():
    global total
    total += 1


def test_a_global_variable_changed_by_a_function_that_is_found_in_a_table():
    table = {"go": _adds_to_the_total}

    def make(compile):
        global total
        total = 0

        def f(x):
            table["go"]()
            return x * total
        return compile(f)
    alike(make)


def test_a_variable_of_a_class():
    def make(compile):
        class Model(torch.nn.Module):
            calls = 0

            def forward(self, x):
                type(self).calls += 1
                return x * Model.calls
        return compile(Model())
    alike(make)


def test_what_a_cache_keeps_is_not_computed_again():
    """The first call fills it, with a number that changes later; the others find it there."""
    def make(compile):
        w = torch.ones(3)

        @functools.lru_cache
        def scale(k):
            return w * k

        def f(x):
            y = x * scale(2)
            w.add_(1)
            return y
        return compile(f)
    alike(make)


@pytest.mark.parametrize("container", [weakref.WeakKeyDictionary, collections.UserDict])
def test_what_is_kept_in_a_container_of_pythons_library(container):
    def make(compile):
        key, kept, w = Count(), container(), torch.ones(3)

        def f(x):
            if key not in kept:
                kept[key] = w * 2
            y = x * kept[key]
            w.add_(1)
            return y
        return compile(f)
    alike(make)


def test_more_variables_than_are_looked_at():
    many = list(range(30_000))
    f = alike(lambda compile: compile(lambda x, *, k=2.0: x * k + len(many)))
    assert "too many variables" in f.reason


def test_an_object_that_cannot_be_looked_at_is_no_error():
    class Odd:
        def __getattribute__(self, name):
            raise RuntimeError("leave me alone")
    odd = Odd()

    def never(x):
        return odd.value + x

    def make(compile):
        def f(x):
            return x * 2 if x.dim() else never(x)
        return compile(f)
    alike(make)


def test_functions_that_kobai_loads_on_first_use_are_no_change():
    program = """if True:
        import kobai
        import kobai.nn.functional as F

        @kobai.compile
        def f(x):
            return F.scaled_dot_product_attention(x, x, x)
        for _ in range(3):
            f(kobai.ones(1, 2, 3))
        assert [v.records for v in f.variants.values()] == [1], f.reason
    """
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_function_that_the_program_puts_into_a_module_is_one():
    def make(compile):
        vars(torch.nn.functional).pop("doubled", None)

        def f(x):
            before = getattr(torch.nn.functional, "doubled", None)
            torch.nn.functional.doubled = lambda x: x * 2
            return x if before is None else before(x)
        return compile(f)
    alike(make)
    del torch.nn.functional.doubled


@pytest.mark.parametrize("fails", [torch.linalg.eigvalsh, torch.linalg.inv, torch.linalg.cholesky])
def test_what_fails_with_its_numbers_does_so_at_once(fails):
    """In its own line, where it may be caught, and before what comes after it is done."""
    seen = []

    @torch.compile
    def f(x):
        y = x * 2
        try:
            y = fails(y)
        except Exception:
            seen.append("caught")
            return x
        seen.append("done")
        return y
    numbers = torch.full((4, 4), float("nan")) if fails is torch.linalg.eigvalsh else torch.zeros(4, 4)
    f(numbers)
    assert seen == ["caught"]
