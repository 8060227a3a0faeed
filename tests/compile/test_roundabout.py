"""Variables that a compiled function looks at by roundabout ways: what is kept behind built-in objects, or added later.

Each case makes a function of (x), and what happens before its call number k; what is expected is what the same function
gives uncompiled.
"""
import collections
import dataclasses
import itertools
import types
import weakref

import pytest

import kobai as torch

CALLS = 7


@dataclasses.dataclass
class Options:
    mode: int = 0


@dataclasses.dataclass(slots=True)
class Slotted:
    mode: int = 0


class Base:
    gain = 2.0

    def scaled(self, x):
        return x * 2.0


class Items(list):
    pass


class Line(collections.deque):
    pass


class Bag(set):
    pass


Pair = collections.namedtuple("Pair", "left right")


def put(where, key):
    def change(k):
        where[key] = float(k)
    return change


def nothing(k):
    pass


def late(change):
    """A change before the fifth call only."""
    return lambda k: change() if k == 4 else None


def method_of_an_iterator():
    tick = itertools.count(1).__next__
    return lambda x: x * tick(), nothing


def method_of_a_list():
    pop = [5.0, 4.0, 3.0, 2.0, 1.0, 0.0, 9.0, 8.0].pop
    return lambda x: x * pop(), nothing


def method_of_a_dict():
    values = {"a": 1.0}
    get = values.get
    return lambda x: x * get("a"), put(values, "a")


def operator_of_a_dict():
    values = {"a": 1.0}
    get = values.__getitem__
    return lambda x: x * sum(map(get, ["a"])), put(values, "a")


def view_of_a_dict():
    values = {"a": 1.0}
    view = values.values()
    return lambda x: x * sum(view), lambda k: values.update({str(k): 1.0})


def read_only_view():
    values = {"a": 1.0}
    view = types.MappingProxyType(values)
    return lambda x: x * view["a"], put(values, "a")


def bytes_that_change():
    data = bytearray(1)

    def f(x):
        data[0] += 1
        return x * data[0]
    return f, nothing


def class_derived_from_list():
    values = Items([1.0])
    return lambda x: x * values[0], put(values, 0)


def length_of_a_class_derived_from_list():
    values = Items([1.0])
    return lambda x: x * len(values), values.append


def class_derived_from_deque():
    values = Line([1.0])
    return lambda x: x * values[0], put(values, 0)


def class_derived_from_set():
    values = Bag([-1])
    return lambda x: x * len(values), values.add


def list_in_a_named_tuple():
    values = Pair([1.0], 2)
    return lambda x: x * values.left[0], put(values.left, 0)


def dict_of_weak_keys():
    key, counts = Base(), weakref.WeakKeyDictionary()

    def f(x):
        counts[key] = counts.get(key, 0) + 1
        return x * counts[key]
    return f, nothing


def dict_written_in_python():
    values = collections.UserDict(a=1.0)
    return lambda x: x * values["a"], put(values, "a")


def equal_dataclasses(cls=Options):
    one, other = cls(), cls()

    def change(k):
        one.mode = k // 4
    return lambda x: x * (2 if one == other else 3), change


def equal_dataclasses_with_slots():
    return equal_dataclasses(Slotted)


def printed_dataclass():
    one = Options()

    def change(k):
        one.mode = k // 4
    return lambda x: x * (2 if f"{one}" == "Options(mode=0)" else 3), change


def matched_by_name():
    one = Options()

    def f(x):
        match one:
            case Options(mode=0):
                return x * 2
        return x * 3

    def change(k):
        one.mode = k // 4
    return f, change


def matched_by_place():
    one = Options()

    def f(x):
        match one:
            case Options(0):
                return x * 2
            case Options(mode):
                return x * mode * 5

    def change(k):
        one.mode = k // 4
    return f, change


def attribute_given_to_a_derived_class():
    class Derived(Base):
        pass
    one = Derived()
    return lambda x: x * one.gain, late(lambda: setattr(Derived, "gain", 5.0))


def method_given_to_a_derived_class():
    class Derived(Base):
        pass
    one = Derived()
    return lambda x: one.scaled(x), late(lambda: setattr(Derived, "scaled", lambda self, x: x * 5))


def attribute_asked_of_a_class():
    class Derived(Base):
        pass
    one = Derived()
    return lambda x: x * (2 if hasattr(one, "flag") else 3), late(lambda: setattr(Derived, "flag", 1))


def variable_asked_of_a_module():
    module = types.ModuleType("made_here")
    return lambda x: x * (2 if hasattr(module, "flag") else 3), late(lambda: setattr(module, "flag", 1))


def global_that_comes_later():
    space = {}
    exec("def f(x):\n try: v = later\n except NameError: v = 2.0\n return x * v", space)
    return space["f"], late(lambda: space.update(later=7.0))


CASES = [method_of_an_iterator, method_of_a_list, method_of_a_dict, operator_of_a_dict, view_of_a_dict, read_only_view,
         bytes_that_change, class_derived_from_list, length_of_a_class_derived_from_list, class_derived_from_deque,
         class_derived_from_set, list_in_a_named_tuple, dict_of_weak_keys, dict_written_in_python, equal_dataclasses,
         equal_dataclasses_with_slots, printed_dataclass, matched_by_name, matched_by_place,
         attribute_given_to_a_derived_class, method_given_to_a_derived_class, attribute_asked_of_a_class,
         variable_asked_of_a_module, global_that_comes_later]


def results(make, compile):
    f, change = make()
    f, found = compile(f), []
    for k in range(CALLS):
        change(k)
        found.append(f(torch.tensor([1.0, 2.0]) + k).tolist())
    return found


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_a_function_gives_what_it_gives_uncompiled(make):
    assert results(make, torch.compile) == results(make, lambda f: f)


def tensors_with_attributes():
    w = torch.ones(2)
    w.scale = 0.0

    def change(k):
        w.scale = float(k)
    return lambda x: x * w * w.scale, change


@pytest.mark.parametrize("make", [tensors_with_attributes], ids=lambda make: make.__name__)
def test_attributes_of_tensors(make):
    assert results(make, torch.compile) == results(make, lambda f: f)


def pairs(k):
    a = torch.tensor([1.0, 2.0]) + k
    return a, a if k % 3 == 0 else a.clone()


def leaves_and_others(k):
    x = torch.tensor([1.0, 2.0]).requires_grad_()
    return (x if k % 2 else x * 1,)


def parameters_later(k):
    x = torch.tensor([1.0, 2.0])
    return (torch.nn.Parameter(x) if k > 3 else x.requires_grad_(),)


def gradients_at_times(k):
    x = torch.tensor([1.0, 2.0]).requires_grad_()
    if k % 2:
        x.grad = torch.tensor([3.0, 4.0])
    return (x,)


@pytest.mark.parametrize("f, arguments", [
    (lambda x, y: x * (1 if x is y else 2), pairs), (lambda x: x * (2 if x.is_leaf else 3), leaves_and_others),
    (lambda x: x * (2 if isinstance(x, torch.nn.Parameter) else 3), parameters_later),
    (lambda x: x * (2 if x.grad is None else x.grad), gradients_at_times)])
def test_what_a_function_asks_about_its_arguments(f, arguments):
    compiled = torch.compile(f)
    for k in range(CALLS):
        assert compiled(*arguments(k)).tolist() == f(*arguments(k)).tolist(), k
