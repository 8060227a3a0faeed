"""A recorded program is never used where the variables it was recorded with have changed, or where it has effects.

Each case is a function of (x) and something that happens between calls; the expected results are those of the same
function called as it is.
"""
import dataclasses
import functools
import operator
import sys
import threading
import types

import numpy as np
import pytest

import kobai as torch
from kobai import nn
from kobai.compile.guards import collect
from kobai.compile.watch import Watcher

FACTOR = 2.0
SETTINGS = types.SimpleNamespace(scale=3.0, parts={"shift": [1.0, 2.0]})


class Config:
    gain = 1.0


class Slotted:
    __slots__ = ("gain", "w")

    def __init__(self):
        self.gain, self.w = 1.0, torch.tensor([1.0, 2.0])


class Layer:
    rate = 2.0

    def __init__(self):
        self.bias, self.mode = 1.0, "a"

    @property
    def doubled(self):
        return self.bias * FACTOR

    @staticmethod
    def square(x):
        return x * x * Config.gain

    @classmethod
    def rated(cls, x):
        return x * cls.rate

    def __call__(self, x):
        return x + self.doubled if self.mode == "a" else x - self.doubled


@dataclasses.dataclass
class Options:
    scale: float = 1.0


def case_global():
    def f(x):
        return x * FACTOR

    def change(i):
        globals()["FACTOR"] = 2.0 + i // 4
    return f, change


def case_attribute_of_a_global_object():
    def change(i):
        SETTINGS.scale = 3.0 + i // 4
        SETTINGS.parts["shift"][1] = float(i // 5)
    return lambda x: x * SETTINGS.scale + SETTINGS.parts["shift"][1], change


def case_class_variable():
    def change(i):
        Config.gain = 1.0 + i // 4
    return lambda x: x * Config.gain, change


def case_function_of_a_class():
    class Own:
        def run(self, x):
            return x + 1
    own = Own()

    def change(i):
        if i == 5:
            Own.run = lambda self, x: x + 2
    return lambda x: own.run(x), change


def case_slots():
    thing = Slotted()

    def change(i):
        thing.gain = 1.0 + i // 4
        if i == 6:
            thing.w = torch.tensor([5.0, 6.0])
    return lambda x: x * thing.gain * thing.w, change


def case_properties_and_methods():
    layer = Layer()

    def change(i):
        layer.bias = 1.0 + i // 4
        layer.mode = "ab"[i // 6 % 2]
        Layer.rate = 2.0 + i // 3
        Config.gain = 1.0 + i // 5
    return lambda x: layer(x) + layer.square(x) + layer.rated(x), change


def case_partial_and_decorated():
    def scaled(x, options):
        return x * options.scale

    def decorate(fn):
        @functools.wraps(fn)
        def inner(x):
            return fn(x) + SETTINGS.scale
        return inner
    options = Options()
    f = decorate(functools.partial(scaled, options=options)) if False else decorate(lambda x: scaled(x, options))

    def change(i):
        options.scale = 1.0 + i // 4
        SETTINGS.scale = 1.0 + i // 6
    return f, change


def case_dynamic_names():
    thing = types.SimpleNamespace(l0=1.0, l1=2.0)

    def f(x):
        for k in range(2):
            x = x * getattr(thing, f"l{k}")
        return x

    def change(i):
        thing.l1 = 2.0 + i // 4
    return f, change


def case_table_of_functions():
    table = {"f": lambda x: x * FACTOR}

    def change(i):
        globals()["FACTOR"] = 1.0 + i // 4
        if i == 7:
            table["f"] = lambda x: x - 1
    return lambda x: table["f"](x), change


def case_attribute_that_appears():
    thing = types.SimpleNamespace(a=1.0)

    def change(i):
        if i == 5:
            thing.b = 3.0
    return lambda x: x * (thing.b if hasattr(thing, "b") else thing.a), change


def case_module():
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.Linear(2, 2))

    def change(i):
        net.train(i // 3 % 2 == 0)
        if i == 7:
            net[2] = nn.Tanh()
        if i == 9:
            net[0].weight = nn.Parameter(torch.ones(2, 2))
        if i == 11:
            net[1].p = 0.0
        torch.manual_seed(i)
    return net, change


def case_hooks_of_modules():
    net = nn.Linear(2, 2)

    def change(i):
        if i == 4:
            net.register_forward_hook(lambda module, inputs, y: y * 2)
    return net, change


def case_requires_grad():
    w = torch.ones(2, requires_grad=True)

    def change(i):
        w.requires_grad_(i // 4 % 2 == 0)

    def f(x):
        y = x * w
        return y * 3 if y.requires_grad else y
    return f, change


def case_default_dtype():
    def change(i):
        torch.set_default_dtype(torch.float64 if i // 4 % 2 else torch.float32)
    return lambda x: x.long().sum() / 2 + torch.zeros(2), change


def case_grad_mode():
    w = torch.ones(2, requires_grad=True)

    def f(x):
        return x * w + torch.is_grad_enabled()

    def change(i):
        torch.set_grad_enabled(i // 4 % 2 == 0)
    return f, change


def case_neighbours_of_a_global():
    def change(i):
        globals()["BESIDE"] = i  # no variable of the program, but a change to the dict that holds one
        if i > 6:
            globals()["FACTOR"] = float(i // 9)
    return lambda x: x * FACTOR, change


def _hidden(f, refused=False):
    """A case whose function finds numbers in places that its names do not show; is it not recorded for that?"""
    def case():
        def change(i):
            STATE.rate = Config.gain = _rated.rate = SLOTTED.gain = OPTIONS.scale = 2.0 + i // 4
            globals()["FACTOR"], CHOSEN[:] = 2.0 + i // 4, [str(2.0 + i // 4)]
            LEVELS.clear()
            LEVELS.add(2.0 + i // 4)
        return f, change
    case.refused = refused
    return case


def _rated(x):
    return x * _rated.rate


def _imports(x):
    import state_of_tests
    return x * state_of_tests.rate


def _imports_from(x):
    from state_of_tests import rate
    return x * rate


STATE = types.ModuleType("state_of_tests")
STATE.__file__ = __file__
sys.modules["state_of_tests"] = STATE
SLOTTED, OPTIONS, CHOSEN, LEVELS = Slotted(), Options(), ["2.0"], {2.0}
get_rate = operator.attrgetter("rate")
case_getattr_of_a_module = _hidden(lambda x: x * getattr(STATE, "rate"))  # noqa: B009
case_vars_of_a_module = _hidden(lambda x: x * vars(STATE)["rate"])
case_getattr_of_a_class = _hidden(lambda x: x * getattr(Config, "gain"))  # noqa: B009
case_dict_of_a_class = _hidden(lambda x: x * Config.__dict__["gain"])
case_getattr_of_a_slot = _hidden(lambda x: x * getattr(SLOTTED, "gain"))  # noqa: B009
case_attribute_of_a_function = _hidden(_rated)
case_import_inside = _hidden(_imports)
case_import_from_inside = _hidden(_imports_from)
case_attrgetter = _hidden(lambda x: x * operator.attrgetter("rate")(STATE))
case_attrgetter_made_before = _hidden(lambda x: x * get_rate(STATE), refused=True)
case_all_variables = _hidden(lambda x: x * globals()["FACTOR"], refused=True)
case_variables_of_a_function = _hidden(lambda x: x * _rated.__globals__["FACTOR"], refused=True)
case_all_modules = _hidden(lambda x: x * sys.modules["state_of_tests"].rate, refused=True)
case_fields_as_a_dict = _hidden(lambda x: x * dataclasses.asdict(OPTIONS)["scale"])
case_fields_as_text = _hidden(lambda x: x * float(str(OPTIONS).partition("=")[2][:-1]))
case_text = _hidden(lambda x: x * float(CHOSEN[0]))
case_set = _hidden(lambda x: x * max(LEVELS), refused=True)


CASES = {k[5:]: v for k, v in globals().items() if k.startswith("case_")}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_changes_are_noticed(case):
    def run(compile):
        globals()["FACTOR"], SETTINGS.scale, Config.gain, Layer.rate = 2.0, 3.0, 1.0, 2.0
        torch.manual_seed(0)
        f, change = case()
        f, results = compile(f), []
        try:
            for i in range(14):
                change(i)
                y = f(torch.tensor([float(i), 1.0]))
                results.append([v.tolist() if isinstance(v, torch.Tensor) else v
                                for v in (y if isinstance(y, tuple) else (y,))])
        finally:
            torch.set_default_dtype(torch.float32)
            torch.set_grad_enabled(True)
        return results, f
    eager, _ = run(lambda f: f)
    compiled, f = run(torch.compile)
    np.testing.assert_allclose(compiled, eager, 1e-6)
    run = getattr(f, "_compiled", f)
    assert any(v.programs for v in run.variants.values()) != getattr(case, "refused", False), run.reason


def test_modes_are_those_of_the_thread():
    w = torch.ones(2, requires_grad=True)
    f = torch.compile(lambda x: x * w)
    x, recorded = torch.ones(2), []

    def call(modes):
        for grad in modes:
            with torch.set_grad_enabled(grad):
                recorded.append(f(x).requires_grad == grad)
    call([True] * 5)
    for modes in ([False] * 4, [True, False] * 3, [True] * 3):
        thread = threading.Thread(target=call, args=(modes,))
        thread.start()
        thread.join()
        call(modes[::-1])
    assert all(recorded)


def test_hooks_of_parameters():
    def run(compile):
        w, seen = torch.ones(2, requires_grad=True), []

        @compile
        def step(x):
            w.grad = None
            (w * x).sum().backward()
        results = []
        for i in range(12):
            if i == 4:
                w.register_hook(lambda g: g * 2)
            if i == 8:
                w.register_post_accumulate_grad_hook(lambda t: seen.append(1))
            step(torch.tensor([float(i), 1.0]))
            results.append(w.grad.tolist())
        return results, len(seen)
    assert run(torch.compile) == run(lambda f: f)


def effect_argument():
    def f(x, kept):
        kept.append(x.sum())
        return x + 1
    return f


def effect_global():
    def f(x, kept):
        global FACTOR
        FACTOR += 1
        return x + 1
    return f


def effect_nonlocal():
    n = 0

    def f(x, kept):
        nonlocal n
        n += 1
        return x + n
    return f


def effect_class():
    def f(x, kept):
        Config.gain += 1
        return x * Config.gain
    return f


def effect_schedule():
    w = torch.ones(2, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.1)
    schedule = torch.optim.lr_scheduler.StepLR(opt, 1)

    def f(x, kept):
        opt.zero_grad()
        (w * x).sum().backward()
        opt.step()
        schedule.step()
        return w.detach().clone()
    return f


def effect_seed():
    def f(x, kept):
        torch.manual_seed(1)
        return torch.rand(2)
    return f


def effect_grad_mode():
    def f(x, kept):
        torch.set_grad_enabled(False)
        return x * 2
    return f


def effect_numpy_random():
    rng = np.random.default_rng(0)

    def f(x, kept):
        return x * float(rng.standard_normal())
    return f


def effect_array():
    array = np.zeros(2, np.float32)

    def f(x, kept):
        y = x + array
        array[0] += 1
        return y
    return f


def effect_iterator():
    numbers = (float(n) for n in range(100))

    def f(x, kept):
        for n in numbers:
            return x + n
    return f


def effect_set():
    seen = set()

    def f(x, kept):
        seen.add(len(seen))
        return x + len(seen)
    return f


def effect_memo():
    memo = {}

    def f(x, kept):
        memo["last"] = x * 2
        return memo["last"] + 1
    return f


EFFECTS = [v for k, v in globals().items() if k.startswith("effect_")]


@pytest.mark.parametrize("make", EFFECTS, ids=lambda f: f.__name__[7:])
def test_effects_happen_on_each_call(make):
    def run(compile):
        globals()["FACTOR"], Config.gain = 2.0, 1.0
        torch.manual_seed(0)
        f, results, kept = compile(make()), [], []
        try:
            for i in range(8):
                mine = []
                results.append(f(torch.tensor([float(i), 1.0]), mine).tolist())
                kept.append([v.tolist() for v in mine])
                results.append([FACTOR, Config.gain, torch.is_grad_enabled()])
                if i == 3:
                    results.append(torch.rand(1).item())
        finally:
            torch.set_grad_enabled(True)
        return results, kept
    assert run(torch.compile) == run(lambda f: f)


def test_memory_that_overlaps_what_is_written():
    def run(compile):
        @compile
        def f(a, b):
            a.add_(1)
            return a.sum() * b + b
        x, y, results = torch.arange(4.0), torch.arange(4.0), []
        for i in range(9):
            results.append(f(x, (x if i % 3 == 2 else y)[1:3]).tolist())
        return results
    assert run(torch.compile) == run(lambda f: f)


def test_gradients_that_are_parameters():
    def run(compile):
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.SGD([w], lr=0.5)
        step = compile(opt.step)
        for i in range(8):
            w.grad = w.data if i == 6 else torch.tensor([1.0, float(i)])
            step()
        return w.tolist()
    assert run(torch.compile) == run(lambda f: f)


def test_code_that_no_variable_leads_to_is_not_recorded():
    class Odd(dict):
        def __missing__(self, key):
            return lambda x: x * key
    odd = Odd()
    f = torch.compile(lambda x, n: odd[n](x))
    for i in range(6):
        assert f(torch.ones(2), float(i)).tolist() == [i, i]


def test_what_is_followed():
    thing = types.SimpleNamespace(used=1, unused=2)

    def f():
        return thing.used
    with Watcher() as watcher:
        f()
    names = {s.name for s in collect(f, watcher.codes).slots}
    assert "thing" in names and "thing.used" in names and "thing.unused" not in names


def test_a_compiled_function_whose_name_its_own_code_uses():
    """`step` is a global variable and in `optimizer.step()` an attribute: the walk comes to the compiled function."""
    space = {"torch": torch}
    exec("""
w = torch.ones(2, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.5)
@torch.compile
def scale(x):
    return 2 * x
@torch.compile
def step(x):
    optimizer.zero_grad()
    loss = scale(w * x).sum()
    loss.backward()
    optimizer.step()
    return loss
""", space)
    losses = [space["step"](torch.ones(2)).item() for _ in range(4)]
    assert losses == [4.0, 0.0, -4.0, -8.0]  # the gradient is 2, a step -1
    assert space["step"].reason is None and space["step"].graph


def test_attributes_with_the_name_of_a_global_variable_that_changes():
    """As `self.loss(...)` where a loop keeps `loss`: the function does not look at the variable."""
    space = {"torch": torch, "nn": nn, "__name__": "program"}
    exec("""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.loss = nn.MSELoss()
    def forward(self, x):
        return self.loss(x, 2 * x)
net = Net()
step = torch.compile(lambda x: net(x) + 1)
losses = []
for i in range(40):
    loss = step(torch.ones(2) * i)
    losses.append(loss.item())
""", space)
    assert space["losses"] == [i * i + 1.0 for i in range(40)]
    assert space["step"].reason is None and space["step"].graph


def test_a_module_that_a_transform_was_given():
    """`jacrev(module)` is kobai's own function around an object: what the object is made of is looked at, too."""
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh()).requires_grad_(False)
    compiled, x = torch.compile(torch.func.jacrev(net)), torch.tensor([1.0, -2.0, 0.5])
    for i in range(12):
        if i == 4:
            net[0] = nn.Linear(3, 2).requires_grad_(False)
        if i == 8:
            net[1] = nn.Sigmoid()
        np.testing.assert_allclose(compiled(x).numpy(), torch.func.jacrev(net)(x).numpy(), 1e-5, 1e-6)
    assert compiled.reason is None


def test_hooks_of_all_modules():
    net, calls = nn.Sequential(nn.Linear(3, 2), nn.Tanh()), []
    compiled, x = torch.compile(lambda x: net(x)), torch.ones(3)
    for i in range(10):
        if i == 5:
            handle = nn.modules.module.register_module_forward_hook(lambda *a: calls.append(i))
        compiled(x)
    handle.remove()
    assert calls == [i for i in range(5, 10) for _ in range(3)]


def test_random_numbers_of_each_example():
    def f(x):
        return x * torch.rand(3)
    compiled, x = torch.compile(lambda x: torch.vmap(f, randomness="different")(x)), torch.ones(2, 3)
    torch.manual_seed(0)
    want = [torch.vmap(f, randomness="different")(x).tolist() for _ in range(6)]
    torch.manual_seed(0)
    assert [compiled(x).tolist() for _ in range(6)] == want
    refused = torch.compile(lambda x: torch.vmap(f)(x))
    for _ in range(4):
        with pytest.raises(RuntimeError, match="randomness error mode"):
            refused(x)
