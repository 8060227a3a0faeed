"""Changes between calls that are easily overlooked: the order of a dict, what comparisons look at, results that functions keep.

Each case makes a function of (x), and what happens before its call number k; what is expected is what the same function
gives uncompiled.
"""
import argparse
import builtins
import collections
import functools
import threading
import types

import pytest

import kobai as torch
from kobai.backends import entry
from kobai.compile.guards import _hides

CALLS = 8


def late(change):
    """A change before the sixth call only."""
    return lambda k: change() if k == 5 else None


def to_the_end(d):
    """Move the first item of a dict behind the others."""
    key = next(iter(d))
    d[key] = d.pop(key)


def through(values, x):
    for v in values:
        x = x * v + 1
    return x


def order_of_a_dict():
    d = {"a": 1.0, "b": 2.0}
    return lambda x: through(d.values(), x), late(lambda: to_the_end(d))


def first_key_of_a_dict():
    d = {"a": 1.0, "b": 2.0}
    return lambda x: x * d[list(d)[0]], late(lambda: to_the_end(d))


def order_of_attributes():
    thing = types.SimpleNamespace(a=1.0, b=2.0)
    return lambda x: through(vars(thing).values(), x), late(lambda: to_the_end(vars(thing)))


def order_of_an_ordered_dict():
    d = collections.OrderedDict(a=1.0, b=2.0)
    return lambda x: through([d[k] for k in d], x), late(lambda: d.move_to_end("a"))


def order_of_modules():
    m = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh())
    torch.nn.init.ones_(m[0].weight)
    torch.nn.init.ones_(m[0].bias)
    return m, late(lambda: to_the_end(m._modules))


def order_of_parameters():
    m = torch.nn.Linear(2, 2)
    return lambda x: through([p.sum() for p in m.parameters()], x), late(lambda: to_the_end(m._parameters))


def compared_namespaces():
    one, other = types.SimpleNamespace(mode=0), types.SimpleNamespace(mode=0)
    return lambda x: x * (2 if one == other else 3), late(lambda: setattr(one, "mode", 1))


def printed_namespace():
    one = types.SimpleNamespace(mode=0)
    return lambda x: x * len(f"{one}"), late(lambda: setattr(one, "mode", 100))


def compared_options():
    one, other = argparse.Namespace(mode=0), argparse.Namespace(mode=0)
    return lambda x: x * (2 if one == other else 3), late(lambda: setattr(one, "mode", 1))


def option_that_comes():
    one = argparse.Namespace(mode=0)
    return lambda x: x * (2 if "flag" in one else 3), late(lambda: setattr(one, "flag", 1))


def event_of_a_thread():
    event = threading.Event()
    return lambda x: x * (2 if event.is_set() else 3), late(event.set)


def arguments_of_an_exception():
    error = ValueError(1.0)
    return lambda x: x * error.args[0], late(lambda: setattr(error, "args", (5.0,)))


def number_with_an_attribute(kind=int, value=3):
    n = type("Derived", (kind,), {})(value)
    n.gain = 1.0
    return lambda x: x * n.gain, late(lambda: setattr(n, "gain", 5.0))


def kept_results(cache=functools.lru_cache):
    state = {"v": 1.0}

    @cache
    def read(n):
        return state["v"] * n

    def change(k):
        if k == 2:
            state["v"] = 5.0
        if k == 5:
            read.cache_clear()
    return lambda x: x * read(2), change


def kept_results_without_limit():
    return kept_results(functools.cache)


def kept_results_of_a_method():
    class Thing:
        v = 1.0

        @functools.lru_cache  # noqa: B019
        def read(self, n):
            return self.v * n
    thing = Thing()

    def change(k):
        if k == 3:
            thing.v = 5.0
        if k == 6:
            Thing.read.cache_clear()
    return lambda x: x * thing.read(2), change


def kept_by_the_tensor_itself():
    state, same = {"v": 1.0}, torch.ones(2)
    read = functools.lru_cache(lambda t: state["v"])

    def change(k):
        state["v"] = float(k)
    return lambda x: x * read(same if x[0] is None else x[0].shape), change


def attribute_instead_of_another():
    class Thing:
        gain = 2.0
    thing = Thing()
    thing.other = 1

    def change():
        del thing.other
        thing.gain = 9.0
    return lambda x: x * thing.gain, late(change)


def class_attribute_instead_of_another():
    class Base:
        gain = 2.0

    class Thing(Base):
        other = 1
    thing = Thing()

    def change():
        del Thing.other
        Thing.gain = 9.0
    return lambda x: x * thing.gain, late(change)


def other_bases():
    class One:
        def scaled(self, x):
            return x * 2

    class Other:
        def scaled(self, x):
            return x * 3

    class Thing(One):
        pass
    thing = Thing()
    return lambda x: thing.scaled(x), late(lambda: setattr(Thing, "__bases__", (Other,)))


def attribute_of_a_metaclass():
    class Meta(type):
        gain = 1.0

    class Thing(metaclass=Meta):
        pass
    return lambda x: x * Thing.gain, late(lambda: setattr(Meta, "gain", 5.0))


def slot_that_is_set_later():
    class Thing:
        __slots__ = ("flag",)
    thing = Thing()
    return lambda x: x * (2 if hasattr(thing, "flag") else 3), late(lambda: setattr(thing, "flag", 1))


def attributes_of_keys():
    class Key:
        gain = 1.0
    keys = [Key(), Key()]
    d = dict.fromkeys(keys, 2.0)
    return lambda x: through([k.gain * v for k, v in d.items()], x), late(lambda: setattr(keys[0], "gain", 5.0))


def attribute_of_a_derived_dict():
    class Table(dict):
        pass
    d = Table(a=1.0)
    d.gain = 1.0
    return lambda x: x * d["a"] * d.gain, late(lambda: setattr(d, "gain", 5.0))


def other_default_of_a_dict():
    d = collections.defaultdict(lambda: 2.0, a=1.0)

    def change():
        del d["b"]
        d.default_factory = lambda: 9.0
    return lambda x: x * d["b"], late(change)


def many_partials():
    lists = [[1.0] for _ in range(6)]
    parts = [functools.partial(lambda x, d: x * d[0], d=d) for d in lists]

    def change(k):
        lists[k % 6][0] = float(k)
    return lambda x: sum(p(x) for p in parts), change


def version_of_a_tensor():
    w = torch.ones(2)
    return lambda x: x * (w._version + 1), late(lambda: w.add_(1))


def tag_of_a_tensor():
    w = torch.ones(2)

    def f(x):
        try:
            return x * w.tag
        except AttributeError:
            return x
    return f, late(lambda: setattr(w, "tag", 5.0))


CASES = [order_of_a_dict, first_key_of_a_dict, order_of_attributes, order_of_an_ordered_dict, order_of_modules,
         order_of_parameters, compared_namespaces, printed_namespace, compared_options, option_that_comes, event_of_a_thread,
         arguments_of_an_exception, number_with_an_attribute, kept_results, kept_results_without_limit,
         kept_results_of_a_method, kept_by_the_tensor_itself, attribute_instead_of_another,
         class_attribute_instead_of_another, other_bases, attribute_of_a_metaclass, slot_that_is_set_later,
         attributes_of_keys, attribute_of_a_derived_dict, other_default_of_a_dict, many_partials, version_of_a_tensor,
         tag_of_a_tensor]


def results(make, compile):
    torch.manual_seed(0)
    f, change = make()
    f, found = compile(f), []
    for k in range(CALLS):
        change(k)
        found.append(f(torch.tensor([1.0, 2.0]) + k).tolist())
    return found


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_a_function_gives_what_it_gives_uncompiled(make):
    want, have = results(make, lambda f: f), results(make, torch.compile)
    assert [pytest.approx(row, rel=1e-6) for row in want] == have


@pytest.mark.parametrize("kind, value", [(float, 3.0), (str, "a"), (bytes, b"a"), (complex, 1j)])
def test_attributes_of_numbers_and_texts(kind, value):
    assert results(lambda: number_with_an_attribute(kind, value), torch.compile)[-1] == [40.0, 45.0]


def test_kept_results_stay_compiled():
    """A cache that is only read does not keep a function from machine code, nor do results that others add to it."""
    read = functools.lru_cache(lambda n: n * 2.0)
    f = torch.compile(lambda x: x * read(3))
    for k in range(5):
        assert f(torch.ones(2) * k).tolist() == [6.0 * k] * 2
        read(k + 10)
    assert f.reason is None and len(f.variants) == 1 and all(len(v.programs) == 1 for v in f.variants.values())


@pytest.mark.parametrize("change", [list.clear, list.pop, lambda v: v.append(5.0), lambda v: v.__setitem__(0, 5.0)])
def test_a_list_that_is_emptied(change):
    """Its length is compared before its items, which are gone."""
    values = [float(i) for i in range(5000)]
    f = torch.compile(lambda x: x * sum(values))
    for _ in range(4):
        f(torch.ones(1))
    change(values)
    assert hasattr(f, "_entry") and f(torch.ones(1)).tolist() == [sum(values)]


def test_without_numbers_that_change_with_dicts(monkeypatch):
    """Python 3.13 has none: each item is looked at on each call."""
    monkeypatch.setattr(entry, "KEEPS_VERSIONS", False)
    for make in (order_of_a_dict, order_of_modules, class_attribute_instead_of_another, slot_that_is_set_later):
        test_a_function_gives_what_it_gives_uncompiled(make)


def test_which_classes_hide_something():
    class Plain:
        pass

    class Slotted:
        __slots__ = ("a", "b")

    class Derived(Slotted):
        pass
    shown = [Plain, Slotted, Derived, type("I", (int,), {}), type("D", (dict,), {}), type("T", (tuple,), {})]
    hidden = [ValueError, type("E", (KeyError,), {}), threading.local, collections.deque, type("S", (set,), {}), bytearray]
    assert [_hides(cls) for cls in shown + hidden] == [False] * len(shown) + [True] * len(hidden)


class Around(torch.optim.Optimizer):
    """An optimiser around another one, which leaves out super().__init__()."""

    def __init__(self, opt):
        self.opt, self.defaults, self.state = opt, opt.defaults, opt.state

    param_groups = property(lambda self: self.opt.param_groups)

    def step(self):
        self.opt.step()


class Grouped(Around):
    """The same with the options as an attribute of its own."""

    param_groups = None

    def __init__(self, opt):
        super().__init__(opt)
        self.param_groups = opt.param_groups


@pytest.mark.parametrize("kind", [Around, Grouped])
def test_an_optimiser_around_another_one(kind):
    training(lambda m: fitted(m, kind(torch.optim.SGD(m.parameters(), 0.1, momentum=0.5))), slower)


def training(step, change, calls=8):
    """What a step of training on a linear layer gives, and what becomes of its weights; `make(m)` gives (opt, step)."""
    def run(compile):
        torch.manual_seed(0)
        m = torch.nn.Linear(3, 1)
        opt, f = step(m)
        f, found = compile(f), []
        for k in range(calls):
            change(k, m, opt)
            given = f(torch.randn(4, 3))
            found.append((given if isinstance(given, (float, int)) else given.item(), m.weight.flatten().tolist()))
        return found
    want, have = run(lambda f: f), run(torch.compile)
    assert [pytest.approx(a, abs=1e-6) for a, _ in want] == [a for a, _ in have]
    assert [pytest.approx(w, abs=1e-6) for _, w in want] == [w for _, w in have]


def slower(k, m, opt):
    opt.param_groups[0]["lr"] = 0.1 / (1 + k // 3)


class Steepest(torch.optim.Optimizer):
    """A user's optimiser, which reads its learning rate itself."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.add_(p.grad, alpha=-group["lr"])


class Counting(torch.optim.SGD):
    steps = 0

    def step(self, closure=None):
        self.steps += 1
        return super().step(closure)


def fitted(m, opt, result=lambda loss, opt: loss):
    def step(x):
        opt.zero_grad()
        loss = m(x).square().mean()
        loss.backward()
        opt.step()
        return result(loss, opt)
    return opt, step


@pytest.mark.parametrize("make", [
    lambda m: fitted(m, Steepest(m.parameters(), 0.1)),
    lambda m: fitted(m, torch.optim.SGD(m.parameters(), 0.1), lambda loss, opt: opt.param_groups[0]["lr"]),
    lambda m: fitted(m, torch.optim.SGD(m.parameters(), 0.1), lambda loss, opt: loss * opt.param_groups[0]["lr"]),
    lambda m: fitted(m, torch.optim.SGD(m.parameters(), 0.1),
                     lambda loss, opt: loss * sum(v for g in opt.param_groups for k, v in g.items() if k[0] == "l")),
    lambda m: fitted(m, torch.optim.SGD(m.parameters(), 0.1), lambda loss, opt: opt.state_dict()["param_groups"][0]["lr"]),
    lambda m: fitted(m, Counting(m.parameters(), 0.1), lambda loss, opt: opt.steps)])
def test_learning_rates_that_the_program_reads_itself(make):
    training(make, slower)


def test_a_learning_rate_that_the_step_sets():
    def run(compile):
        m = torch.nn.Linear(3, 1)
        torch.nn.init.ones_(m.weight)
        opt = torch.optim.SGD(m.parameters(), 0.1)

        def step(x, lr):
            for group in opt.param_groups:
                group["lr"] = lr
            opt.zero_grad()
            m(x).sum().backward()
            opt.step()
        f, found = compile(step), []
        for k in range(10):
            f(torch.ones(2, 3), 0.1 if k % 3 else 0.01)
            found.append((opt.param_groups[0]["lr"], m.weight.tolist()))
        return found
    assert run(torch.compile) == run(lambda f: f)


def test_an_attribute_that_the_user_gave_an_optimiser():
    def make(m):
        opt = torch.optim.SGD(m.parameters(), 0.1)
        opt.scale = 1.0
        return opt, lambda x: m(x).sum() * opt.scale
    training(make, lambda k, m, opt: setattr(opt, "scale", 1.0 + k // 4))


@pytest.mark.parametrize("ask, set_to", [
    (torch.get_num_threads, torch.set_num_threads), (torch.initial_seed, torch.manual_seed),
    (torch.are_deterministic_algorithms_enabled, lambda n: torch.use_deterministic_algorithms(n == 2))])
def test_settings_that_a_function_asks_for(ask, set_to):
    before = torch.get_num_threads()
    f = torch.compile(lambda x: x * ask())
    try:
        for k in range(6):
            set_to(1 + k % 2)
            assert f(torch.ones(1)).tolist() == [ask()]
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(False)


def test_lists_that_were_there_before_are_returned_as_they_are():
    history, given = [1.0], [torch.ones(2)]
    f, g = torch.compile(lambda x: (x, [history])), torch.compile(lambda xs: xs)
    for _ in range(5):
        assert f(torch.ones(2))[1][0] is history and g(given) is given
    assert "that was there before" in f.reason and "among its arguments" in g.reason


def test_gradients_that_are_other_tensors_stay_these():
    a, b = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))

    def shared(x):
        a.grad = None
        (a * x).sum().backward()
        b.grad = a.grad
        return x * 1

    def given(x):
        a.grad = x
    f, g = torch.compile(shared), torch.compile(given)
    for _ in range(5):
        x = torch.ones(2)
        f(x)
        assert a.grad is b.grad
        g(x)
        assert a.grad is x


def test_a_captured_tensor_that_gets_a_history():
    def run(compile):
        v, base, w, view = torch.nn.Parameter(torch.ones(2)), torch.ones(3), torch.ones(2, requires_grad=True), None
        view, found = base[:2], []
        f = compile(lambda x: (x * w * view).sum())
        for k in range(9):
            if k == 4:
                w.requires_grad_(False)
                w.mul_(v)
            if k == 7:
                base.mul_(v[0] * 2)
            v.grad = None
            f(torch.ones(2) * k).backward(retain_graph=True)
            found.append(v.grad if v.grad is None else v.grad.tolist())
        return found
    assert run(torch.compile) == run(lambda f: f)


def test_another_group_of_parameters():
    """A dict of options that takes the place of another one with the same keys."""
    def change(k, m, opt):
        if k == 5:
            opt.param_groups[0] = dict(opt.param_groups[0], lr=0.5)
    training(lambda m: fitted(m, torch.optim.SGD(m.parameters(), 0.1)), change)


def test_attributes_of_a_class_of_tensors():
    class Scaled(torch.Tensor):
        gain = 0.0
    compiled, captured = torch.compile(lambda x: x * x.gain), torch.ones(2).as_subclass(Scaled)
    other = torch.compile(lambda x: x * captured.gain)
    for k in range(8):
        Scaled.gain = float(k // 3)
        assert compiled(torch.ones(2).as_subclass(Scaled)).tolist() == other(torch.ones(2)).tolist() == [k // 3] * 2


@pytest.mark.parametrize("holder, name, f", [
    (torch.Tensor, "relu", lambda x: x.relu()), (torch.nn.functional, "relu", lambda x: torch.nn.functional.relu(x)),
    (torch.nn.ReLU, "forward", torch.nn.Sequential(torch.nn.ReLU()))])
def test_functions_of_the_library_that_the_user_exchanges(holder, name, f, monkeypatch):
    compiled, x = torch.compile(f), torch.tensor([-1.0, 2.0])
    for _ in range(4):
        assert compiled(x).tolist() == [0.0, 2.0]
    monkeypatch.setattr(holder, name, lambda *args: args[-1] * 3)
    for _ in range(4):
        assert compiled(x).tolist() == [-3.0, 6.0]
    monkeypatch.undo()
    for _ in range(4):
        assert compiled(x).tolist() == [0.0, 2.0]


def attributes_replaced(thing):
    thing.gain = 1.0
    return lambda x: x * thing.gain, late(lambda: setattr(thing, "__dict__", {"gain": 7.0}))


@pytest.mark.parametrize("make", [type("Thing", (), {}), lambda: lambda: 0, lambda: type("Number", (int,), {})(3),
                                  types.SimpleNamespace])
def test_other_attributes_at_once(make):
    case = functools.partial(attributes_replaced, make())
    try:
        want = results(case, lambda f: f)
    except (TypeError, AttributeError):  # such an object keeps its dict
        return
    assert results(functools.partial(attributes_replaced, make()), torch.compile) == want


@pytest.mark.parametrize("name", ["step", "zero_grad"])
def test_methods_that_an_optimiser_is_given(name):
    training(lambda m: fitted(m, torch.optim.SGD(m.parameters(), 0.1)),
             lambda k, m, opt: setattr(opt, name, lambda: None) if k == 5 else None)


def test_methods_that_a_class_of_optimisers_is_given(monkeypatch):
    def change(k, m, opt):
        monkeypatch.undo()
        if k == 5:
            monkeypatch.setattr(torch.optim.SGD, "step", lambda self, closure=None: None)
    training(lambda m: fitted(m, torch.optim.SGD(m.parameters(), 0.1)), change)


def test_built_in_functions_that_are_exchanged(monkeypatch):
    f = torch.compile(lambda x: x * sum([1.0, 2.0]))
    for _ in range(4):
        assert f(torch.ones(1)).tolist() == [3.0]
    with monkeypatch.context() as m:
        m.setattr(builtins, "sum", lambda values: 9.0)
        assert f(torch.ones(1)).tolist() == [9.0]
    assert f(torch.ones(1)).tolist() == [3.0]


def test_keys_that_compare_with_nothing_else():
    class Key:
        def __init__(self, n):
            self.n = n

        def __hash__(self):
            return self.n

        def __eq__(self, other):
            return self.n == other.n
    key, values = Key(0), {Key(0): 1.0, Key(1): 2.0}
    f = torch.compile(lambda x: x * values[key])
    for k in range(8):
        key.n = k // 4
        assert f(torch.ones(1)).tolist() == [1.0 + k // 4]
