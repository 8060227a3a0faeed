"""What the viewer says about a program: values, gradients, formulas, modules, lines, stops, training.

Expected numbers come from calculus, done by hand in the comments, and from the programs P1, P4 and P5 that
introductions print (P4's and P5's numbers are PyTorch's).
"""

import math

import numpy as np
import pytest

import kobai
from kobai import nn
from kobai.autograd import Function
from kobai.op import Op, registry
from kobai.ops.elementwise import Mul
from kobai.viewer.model import describe
from kobai.viewer.record import Recording


def leaf(value):
    return kobai.tensor(value, requires_grad=True)


def by_title(description):
    return {n["name"] or n["op"]: n for n in description["nodes"]}


def number(value):
    assert value["shape"] == [] or value["shape"] == [1]
    return value["data"][0]


# ---- values, gradients, formulas ---------------------------------------------------------------
def test_p1_values_gradients_and_the_chain_rule():
    """w * x + b at x=5, w=2, b=1: dy/dw = x = 5, dy/db = 1."""
    x, w, b = kobai.tensor(5.0), leaf(2.0), leaf(1.0)
    y = w * x + b
    d = describe(y)
    nodes = by_title(d)
    assert set(nodes) == {"w", "x", "b", "mul", "y"}
    assert number(nodes["y"]["value"]) == 11 and number(nodes["mul"]["value"]) == 10
    assert number(nodes["w"]["grad"]) == 5 and number(nodes["b"]["grad"]) == 1 and nodes["x"]["grad"] is None
    assert nodes["mul"]["formula"] == "a * b" and nodes["mul"]["numbers"] == "2 × 5 = 10"
    assert nodes["mul"]["grad_fn"] == "MulBackward0" and nodes["y"]["root"]
    assert [nodes[k]["kind"] for k in ("w", "x", "mul")] == ["leaf", "constant", "op"]
    steps = {s["node"]: s for s in d["backward"]}
    to_w, to_x = steps[nodes["mul"]["id"]]["inputs"]
    assert (to_w["formula"], to_w["derivative"], to_w["text"]) == ("g * b", "b", "1 × 5 = 5")
    assert to_w["to"] == nodes["w"]["id"] and to_x["stop"] == "constant" and to_x["out"] is None
    assert steps[nodes["w"]["id"]]["leaf"]


def test_looking_changes_nothing():
    """No .grad is written, no hook is called, and backward still works afterwards."""
    w = leaf(3.0)
    y = w * w
    called = []
    y.register_hook(called.append)
    w.register_hook(called.append)
    describe(y * 2)
    assert w.grad is None and called == []
    y.backward()
    assert w.grad.item() == 6 and len(called) == 2


def test_the_line_that_made_a_node_is_found():
    w = leaf(2.0)
    y = w.exp()
    node = by_title(describe(y))["y"]
    d = describe(y)
    text = d["files"][node["source"]["file"]]["text"].split("\n")
    assert text[node["source"]["line"] - 1].strip() == "y = w.exp()"
    assert node["source"]["function"] == "test_the_line_that_made_a_node_is_found"


def test_gradients_meet_and_add():
    """y = x² + 2x at 3: x gets 3 and 3 from x * x, 2 from 2x, together 8."""
    x = leaf(3.0)
    d = describe(x * x + x * 2)
    step = next(s for s in d["backward"] if s["leaf"])
    assert sorted(number(p["value"]) for p in step["parts"]) == [2, 3, 3]
    assert number(step["g"]) == 8


def test_the_film_of_a_matrix_product_has_the_rules_of_its_class():
    """y = x wᵀ + b: the gradient of x is g w."""
    x, w, b = leaf([[1.0, 2.0]]), leaf([[0.6, -0.2]]), leaf([0.8])
    d = describe(nn.functional.linear(x, w, b))
    step = d["backward"][0]
    formulas = {i["name"]: i["formula"] for i in step["inputs"]}
    assert formulas["x"] == "g @ weight"
    out = next(i for i in step["inputs"] if i["name"] == "x")["out"]
    np.testing.assert_allclose(out["data"], [0.6, -0.2], rtol=1e-6)


def test_a_rule_of_many_lines_is_shown_as_it_is():
    x = leaf([1.0, 2.0])
    step = describe(nn.functional.nll_loss(x.log_softmax(0), kobai.tensor(1)))["backward"][0]["inputs"][0]
    assert step["formula"] == "" and step["rule"].startswith("def vjp")


def test_a_freed_graph_is_computed_once_more():
    """d/dx sum(exp(x) * t) = exp(x) * t; t was freed with the graph, and is found in the program."""
    x, t = leaf([1.0, 2.0]), kobai.tensor([3.0, 0.5])
    y = (x.exp() * t).sum()
    y.backward()
    d = describe(y)
    assert d["notes"] == ["anew"] and len(d["backward"]) == 4
    nodes = by_title(d)
    assert nodes["x"]["grad"]["data"] == pytest.approx([3 * math.e, 0.5 * math.e**2], rel=1e-6)
    assert nodes["t"]["value"]["data"] == [3.0, 0.5] and nodes["y"]["root"]
    assert nodes["exp"]["value"]["data"] == pytest.approx([math.e, math.e**2], rel=1e-6)
    assert nodes["mul"]["source"]["line"] == nodes["y"]["source"]["line"]
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()  # the program's own graph stays as it was


def test_numbers_and_layers_that_saved_nothing_have_values_too():
    """A sum does not save the number it adds, nor pooling its result: both come from recording the graph once more."""
    x, w = kobai.tensor(5.0), leaf(2.0)
    y = w * x - 9.5 + 1
    for freed in (False, True):
        d = describe(y)
        nodes = by_title(d)
        assert ("anew" in d["notes"]) is freed
        assert (number(nodes["sub"]["value"]), nodes["sub"]["settings"], nodes["sub"]["numbers"]) == (0.5, ["b=9.5"], "10 - 9.5 = 0.5")
        assert nodes["y"]["numbers"] == "0.5 + 1 = 1.5"
        if not freed:
            y.backward()
    images = kobai.arange(32.0).reshape(2, 1, 4, 4)
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.Flatten())
    out = net(images)
    d = describe(out)
    assert d["title"] == "Sequential"
    with Recording() as r:
        nn.Linear(2, 2)(nn.Tanh()(kobai.ones(2))).sum().backward()
    assert describe(r)["title"] == "test_model.py", "no module stands for all of it"
    labels = {n["op"]: n for n in d["nodes"]}
    assert labels["max_pool2d"]["shape"] == [2, 2, 2, 2] and labels["native_batch_norm"]["shape"] == [2, 2, 4, 4]
    assert labels["convolution"]["value"] and [n["name"] for n in d["nodes"] if n["kind"] == "constant"] == ["images"]


def test_parameters_of_two_models_are_told_apart():
    encoder, decoder = nn.Linear(2, 2), nn.Linear(2, 1)
    with Recording() as r:
        for _ in range(2):
            decoder(encoder(kobai.ones(1, 2)).tanh()).sum().backward()
    names = [p["name"] for p in describe(r)["training"]["parameters"]]
    assert sorted(names) == ["decoder.bias", "decoder.weight", "encoder.bias", "encoder.weight"]


def test_a_detached_factor_is_told_from_a_constant_after_the_fact():
    x, c = leaf([1.0, 2.0]), kobai.tensor([5.0, 6.0])
    h = x.exp()
    d = describe((x.detach() * x + h.detach() * h + c * h).sum())
    stops = {tuple(n["value"]["data"]): n["stops"] for n in d["nodes"] if n["kind"] == "constant"}
    assert stops[1.0, 2.0] == "detach" and stops[5.0, 6.0] == "constant" and list(stops.values()).count("detach") == 2
    told = [i["stop"] for step in d["backward"] for i in step["inputs"] if i["stop"]]
    assert sorted(told) == ["constant", "detach", "detach"]


def test_a_freed_graph_that_cannot_be_computed_again_says_so():
    x = leaf([1.0, 2.0])
    lost = x * kobai.tensor([1.0, 3.0]).cumsum(0)  # not in any variable, and no expression that may be repeated
    y = lost.exp().sum()
    y.backward()
    d = describe(y)
    assert d["notes"] == ["freed", "input: test_model.py:165   lost = x * kobai.tensor([1.0, 3.0]).cumsum(0)", "see-all"]
    assert d["backward"] == []
    assert len(by_title(d)["x"]["grad"]["data"]) == 2
    z = (x * x).sum()
    z.backward()
    with kobai.no_grad():
        x -= 0.1
    assert describe(z)["notes"] == ["freed", "changed: ", "see-all"], "the leaf has changed: the values would not be those of this loss"
    noise = kobai.nn.functional.dropout(x, 0.5).sum()
    noise.backward()
    assert "freed" in describe(noise)["notes"]


def test_values_nobody_kept_are_not_computed_from_changed_leaves():
    """(w + 1)² with w changed after: w + 1 is kept by the square, so the sum of w and 1 must not be made up."""
    w, v = leaf(1.0), leaf(2.0)
    s = w + v
    y = s * s
    with kobai.no_grad():
        w += 10
    d = describe(y)
    assert number(by_title(d)["s"]["value"]) == 3 and "replayed" not in d["notes"]


def test_nothing_to_show_is_an_error_that_says_what_to_give():
    with pytest.raises(TypeError, match="view"):
        describe(3.0)


# ---- programs noted while they run -------------------------------------------------------------
def test_where_gradients_stop_and_why():
    w = leaf(2.0)
    with Recording() as r:
        h = w * 3
        cut = h.detach()
        with kobai.no_grad():
            outside = h * 5
        whole = h.long()
        y = h + cut
        y.backward()
    nodes = by_title(describe(r))
    stops = {name: nodes[name]["stops"] for name in ("h", "cut", "outside", "whole", "y")}
    assert stops == {"h": None, "cut": "detach", "outside": "no_grad", "whole": "integer", "y": None}
    assert number(nodes["w"]["grad"]) == 3 and w.grad.item() == 3  # through h alone
    assert nodes["h"]["settings"] == ["b=3"] and nodes["h"]["numbers"] == "2 × 3 = 6"
    assert del_unused(outside, whole)


def del_unused(*values):
    return len(values)


def test_the_detached_value_comes_from_detach():
    w = leaf(2.0)
    with Recording() as r:
        h = w * 3
        y = h + h.detach()
        y.backward()
    d = describe(r)
    nodes = by_title(d)
    edges = {(a, b) for a, b, _, _ in d["edges"]}
    detach = next(n for n in d["nodes"] if n["op"] == "detach")
    assert {(nodes["h"]["id"], detach["id"]), (detach["id"], nodes["y"]["id"])} <= edges


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.head = nn.Sequential(nn.Tanh(), nn.Linear(3, 1))

    def forward(self, x):
        return self.head(self.layer(self.layer(x)))


def test_modules_with_their_calls():
    model, x = Net(), kobai.ones(2, 3)
    d = describe(model, x)
    assert [(m["path"], m["type"], m["call"]) for m in d["modules"]] == [
        ("Net", "Net", 1), ("layer", "Linear", 1), ("layer", "Linear", 2), ("head", "Sequential", 1),
        ("head.0", "Tanh", 1), ("head.1", "Linear", 1)]
    parents = [m["parent"] for m in d["modules"]]
    assert parents == [None, 0, 0, 0, 3, 3]
    nodes = by_title(d)
    assert nodes["x"]["module"] is None  # given to the model, so it stands outside
    assert nodes["head.1.weight"]["module"] == 5 and nodes["head.1.weight"]["kind"] == "parameter"
    assert nodes["layer.weight"]["module"] == 0  # used by both calls
    assert d["modules"][0]["nodes"] == len(d["nodes"]) - 1
    out = next(n for n in d["nodes"] if n["root"])
    np.testing.assert_allclose(out["value"]["data"], model(x).flatten().tolist(), rtol=1e-6)
    assert d["backward"], "the film starts from ones, as if the sum were the loss"


def test_modules_of_a_graph_recorded_before_are_known_by_their_parameters():
    model, x = Net(), kobai.ones(2, 3)
    loss = model(x).sum()
    d = describe(loss)
    assert [(m["path"], m["type"]) for m in d["modules"]] == [
        ("Net", "Net"), ("layer", "Linear"), ("head", "Sequential"), ("head.1", "Linear")]
    inside = {n["op"]: n["module"] for n in d["nodes"] if n["op"]}
    assert inside["sum"] is None and inside["tanh"] == 0  # it has no parameters, so only Net is sure


def test_modules_that_take_turns_are_not_grouped():
    """a b a: folding either would make a cycle."""
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    model = nn.ModuleDict({"a": a, "b": b})
    y = model["a"](model["b"](model["a"](kobai.ones(1, 2))))
    assert {m["path"] for m in describe(y, variables={"model": model})["modules"]} == set()


def test_the_recording_leaves_nothing_behind():
    forward, propagate = vars(Mul)["forward"], kobai.autograd.engine.propagate
    hooked = nn.Module._hooked
    with Recording():
        assert vars(Mul)["forward"] is not forward
        nn.Linear(2, 2)(kobai.ones(1, 2))
    assert vars(Mul)["forward"] is forward and kobai.autograd.engine.propagate is propagate
    assert nn.Module._hooked == hooked
    with pytest.raises(ZeroDivisionError), Recording():
        1 / 0
    assert vars(Mul)["forward"] is forward


def test_ops_that_are_imported_meanwhile_are_made_and_noted_as_always():
    class Twice(Op):
        def forward(self, a):
            return a * 2

        def vjp_a(self, g):
            return g * 2

    w = leaf(3.0)
    try:
        with Recording() as r:
            class Double(Twice):
                pass

            Double()(w).backward()
        assert Double.inputs == ("a",) and not Double.variadic
        assert vars(Twice)["forward"].__name__ == "forward" and Double()(w).item() == 6 and w.grad.item() == 2
    finally:
        for cls in (Twice, Double):
            list.remove(registry, cls)
    assert [n["op"] for n in describe(r)["nodes"]] == ["", "double"]


def test_a_recorded_program_computes_the_same():
    def program():
        kobai.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(32, 2))
        optimizer = kobai.optim.Adam(model.parameters())
        for _ in range(3):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(kobai.randn(4, 1, 6, 6)), kobai.tensor([0, 1, 1, 0]))
            loss.backward()
            optimizer.step()
        return [loss.item(), *(p.sum().item() for p in model.parameters())]

    plain = program()
    with Recording() as r:
        noted = program()
    assert noted == plain
    d = describe(r)
    assert number(by_title(d)["loss"]["value"]) == pytest.approx(plain[0], rel=1e-6)
    assert all(n["value"] is not None for n in d["nodes"]), "a recorded program knows all its values"


def test_large_arrays_that_run_as_machine_code_are_noted_too():
    w = kobai.ones(300, 1000, requires_grad=True)
    for _ in range(20):  # until it is worth while to compile
        w * w + w
    with Recording() as r:
        for _ in range(20):
            y = w * w + w
        y.sum().backward()
    nodes = describe(r)["nodes"]
    assert [n["op"] for n in nodes] == ["", "mul", "add", "sum"]
    assert [n["value"]["max"] for n in nodes[:3]] == [1, 1, 2] and nodes[0]["grad"]["min"] == 3


def test_a_program_without_backward_is_shown_with_all_its_results():
    w = leaf(2.0)
    with Recording() as r:
        a = w + 1
        b = a * 2
        c = w.exp()
        n = b.long()
    d = describe(r)
    assert {n["name"] for n in d["nodes"]} == {"w", "a", "b", "c", "n"}
    assert [x["name"] for x in d["nodes"] if x["root"]] == ["c", "n"] and c.item() > n.item() - 7
    assert "to=int64" in by_title(d)["n"]["settings"]


def test_a_long_program_does_not_keep_all_its_arrays(monkeypatch):
    monkeypatch.setattr("kobai.viewer.record.MOST_BYTES", 1_000_000)
    w = leaf([1.0] * 10_000)
    with Recording() as r:
        y = w
        for _ in range(1000):
            y = y + 1
        held = sum(v.nbytes for call in r.calls for v in call.outs if isinstance(v, np.ndarray))
        y.sum().backward()
    assert held < 6_000_000, "of 40 MB"
    nodes = describe(r)["nodes"]
    assert len(nodes) == 1002 and nodes[1]["value"]["max"] == 2 and nodes[-2]["value"]["max"] == 1001


def test_compiled_steps_are_noted_op_by_op():
    w = leaf([1.0, 2.0])

    @kobai.compile
    def step():
        w.grad = None
        loss = (w * 3).sum()
        loss.backward()
        return loss

    for _ in range(5):
        step()
    with Recording() as r:
        step()
    assert [n["op"] for n in describe(r)["nodes"]] == ["", "mul", "sum"]
    assert step().item() == 9 and w.grad.tolist() == [3, 3]


def test_backward_passes_that_run_as_one_program_are_seen_too():
    """After some hundreds of passes from one line the engine replaces them; who looks sees all steps."""
    w = leaf([1.0, 2.0])
    with Recording() as r:
        for _ in range(300):
            w.grad = None
            ((w * 2).exp() + w).sum().backward()
    d = describe(r)
    assert len(d["backward"]) == 5 and d["training"]["steps"][-1]["step"] > 290
    w.grad = None
    for _ in range(300):
        y = ((w * 2).exp() + w).sum()
        y.backward(retain_graph=True)
    assert len(describe(y)["backward"]) == 5


def test_a_function_of_the_users_is_one_node():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    w = leaf(3.0)
    with Recording() as r:
        y = Square.apply(w) + 1
        y.backward()
    d = describe(r)
    assert [n["op"] or n["name"] for n in d["nodes"]] == ["w", "Square", "add"]
    assert number(by_title(d)["w"]["grad"]) == 6


def test_gradients_of_gradients_are_part_of_the_graph():
    """y = x³, g = 3x², loss = g² = 9x⁴: at 2 the loss is 144 and its derivative 36x³ = 288."""
    x = leaf(2.0)
    with Recording() as r:
        (g,) = kobai.autograd.grad(x**3, x, create_graph=True)
        loss = g * g
        loss.backward()
    d = describe(r)
    nodes = by_title(d)
    assert number(nodes["loss"]["value"]) == 144 and number(nodes["x"]["grad"]) == 288
    leaves = [n for n in d["nodes"] if n["kind"] != "op"]  # x, and the one that backward begins with
    assert [(n["name"], n["value"]["data"]) for n in leaves] == [("x", [2]), ("", [1])]


def test_several_outputs_and_writes_into_views():
    """y = (a + 2b) with (a, b) = split(x); then z[0] = y: every edge leads to who made the value."""
    x = leaf([1.0, 2.0])
    with Recording() as r:
        a, b = x.split(1)
        z = kobai.zeros(2) * 1
        z[0] = (a + 2 * b).sum()
        loss = z.sum()
        loss.backward()
    d = describe(r)
    nodes = by_title(d)
    assert number(nodes["loss"]["value"]) == 5 and nodes["x"]["grad"]["data"] == [1, 2]
    split = next(n for n in d["nodes"] if n["op"].startswith("split"))
    assert split["outputs"] == 2 and {o for s, _, _, o in d["edges"] if s == split["id"]} == {0, 1}
    reached, stack = set(), [nodes["loss"]["id"]]
    while stack:
        n = stack.pop()
        reached.add(n)
        stack += [s for s, u, _, _ in d["edges"] if u == n and s not in reached]
    assert nodes["x"]["id"] in reached


def test_p4_training_steps():
    """x² = 2 by gradient descent, as printed by the introduction: x = 1, 1.04, 1.0782053; dL/dx = -4, -3.8205440 …"""
    x = kobai.tensor([1.0], requires_grad=True)
    optimizer = kobai.optim.SGD([x], lr=0.01)
    with Recording() as r:
        for _ in range(100):
            optimizer.zero_grad()
            y = x**2 - 2
            loss = nn.MSELoss()(y, kobai.zeros(1))
            loss.backward()
            optimizer.step()
    training = describe(r)["training"]
    assert [p["name"] for p in training["parameters"]] == ["x"]
    first = training["steps"][:3]
    assert [s["values"][0]["data"][0] for s in first] == pytest.approx([1, 1.04, 1.0782053], abs=5e-8)
    assert [s["grads"][0]["data"][0] for s in first] == pytest.approx([-4, -3.8205440, -3.6118727], abs=5e-7)
    assert first[0]["loss"] == 1 and training["steps"][-1]["step"] == 100
    assert training["parameters"][0]["node"] is not None


def test_p9_with_a_gradient_tape():
    """2x³ + 4x² + 5x + 6 at 0.5: 9.75, and 10.5 its derivative."""
    import kobai.compat.tensorflow as tf
    with Recording() as r:
        x = tf.Variable(0.5)
        with tf.GradientTape() as tape:
            y = 2 * x**3 + 4 * x**2 + 5 * x + 6
        tape.gradient(y, x)
    nodes = by_title(describe(r))
    assert number(nodes["y"]["value"]) == 9.75 and number(nodes["x"]["grad"]) == 10.5


def test_long_training_keeps_at_most_200_steps():
    w = leaf(1.0)
    with Recording() as r:
        for _ in range(1000):
            (w * 2).backward()
    steps = [s["step"] for s in describe(r)["training"]["steps"]]
    assert len(steps) <= 200 and steps[0] == 1 and len({b - a for a, b in zip(steps, steps[1:])}) == 1


def test_grad_zeroed_in_place_after_the_step_does_not_change_what_was_noted():
    w = leaf([1.0] * 100)
    with Recording() as r:
        (w * 3).sum().backward()
        w.grad.zero_()
        with kobai.no_grad():
            w -= 1
    node = by_title(describe(r))["w"]
    assert (node["grad"]["min"], node["grad"]["max"]) == (3, 3) and node["value"]["min"] == 1
