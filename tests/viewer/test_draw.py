"""kobai.draw: which boxes, with what in them, and between which the arrows run."""

import math

import pytest

import kobai
from kobai.viewer import draw
from kobai.viewer.draw import number, operation
from kobai.viewer.parse import parse


class Picture:
    """A drawing's boxes by their first line."""

    def __init__(self, dot):
        self.scene = parse(dot.source)
        self.titles = {n.name: n.lines[0].text for n in self.scene.nodes.values()}
        self.boxes = {n.lines[0].text: [line.text for line in n.lines[1:]] for n in self.scene.nodes.values()}
        self.colors = {n.lines[0].text: n.attrs["fillcolor"] for n in self.scene.nodes.values()}
        self.arrows = sorted((self.titles[e.tail], self.titles[e.head]) for e in self.scene.edges)


def leaf(value):
    return kobai.tensor(value, requires_grad=True)


def test_values_names_and_gradients():
    """P1: w * x + b at x=5, w=2, b=1; w.grad is 5 and b.grad is 1."""
    x, w, b = kobai.tensor(5.0), leaf(2.0), leaf(1.0)
    y = w * x + b
    y.backward(retain_graph=True)
    picture = Picture(draw(y))
    assert picture.boxes == {
        "w": ["2", "grad 5"],
        "x": ["5"],
        "b": ["1", "grad 1"],
        "mul": ["= 10"],  # which nobody kept: computed again
        "add": ["y = 11"],
    }
    assert picture.arrows == [("b", "add"), ("mul", "add"), ("w", "mul"), ("x", "mul")]
    assert picture.colors["w"] == picture.colors["b"] != picture.colors["mul"] != picture.colors["add"]


def test_names_can_be_given_and_win():
    a = leaf(2.0)
    assert "weight" in Picture(draw(a * 3, params={"weight": a})).boxes


def test_a_variable_tells_the_name_and_value_of_a_step_between():
    x = leaf(3.0)
    between = x - 1  # nobody saves this
    y = between + 2
    picture = Picture(draw(y))
    assert picture.boxes["sub"] == ["between = 2"] and picture.boxes["add"] == ["y = 4"]


def test_variables_of_other_functions_have_no_name():
    def elsewhere():
        secret = leaf(2.0)
        return secret * 3

    assert set(Picture(draw(elsewhere())).boxes) == {"tensor", "mul"}


def test_a_tensor_of_few_elements_shows_them_and_a_large_one_its_shape():
    few, many = leaf([[1.5, -2.0]]), leaf([[0.0] * 50] * 3)
    picture = Picture(draw((few * 2, many * 2)))
    assert picture.boxes["few"] == ["(1, 2) [[1.5, -2]]"] and picture.boxes["many"] == ["(3, 50)"]


def test_after_backward_the_leaves_and_the_result_are_still_known():
    w = leaf(2.0)
    y = (w * 3) * w
    y.backward()
    picture = Picture(draw(y))
    assert picture.boxes["w"] == ["2", "grad 12"]
    assert picture.colors["mul"] and sum(t == "mul" for t in picture.titles.values()) == 2


def test_nothing_is_computed_again_from_leaves_that_changed_since():
    w = leaf(2.0)
    z = (w + 1) * w.detach() + w
    w.data = kobai.tensor(100.0)
    picture = Picture(draw(z))
    assert picture.boxes["mul"] == ["other=2"]  # 101 * 2 would be wrong
    assert "z = 8" in [line for n in picture.scene.nodes.values() for line in (t.text for t in n.lines)]


def test_an_input_used_twice_has_two_arrows():
    x = leaf(3.0)
    assert Picture(draw(x * x)).arrows == [("x", "mul"), ("x", "mul")]


def test_settings_of_an_operation_stand_in_its_box():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    picture = Picture(draw(x.sum(1)))
    assert picture.boxes["sum"] == ["dim=(1,)", "(2) [3, 7]"]


def test_a_function_is_called_and_its_input_takes_part():
    picture = Picture(draw(lambda points: (points * 2).sum(), kobai.tensor([1.0, 2.0])))
    assert picture.boxes["points"] == ["(2) [1, 2]"]
    assert picture.boxes["sum"][-1] == "= 6" and ("points", "mul") in picture.arrows


class Network(kobai.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = kobai.nn.Linear(2, 1)
        self.activation = kobai.nn.Tanh()
        self.layer1.weight = kobai.nn.Parameter(kobai.tensor([[0.5, 0.5]]))
        self.layer1.bias = kobai.nn.Parameter(kobai.tensor([-1.0]))

    def forward(self, x):
        return self.activation(self.layer1(x))


def test_a_module_s_parameters_stand_in_the_box_of_the_layer():
    picture = Picture(draw(Network(), kobai.tensor([[1.0, 3.0]])))
    assert picture.boxes == {
        "x": ["(1, 2) [[1, 3]]"],
        "addmm · layer1": ["bias (1) [-1]", "weight (1, 2) [[0.5, 0.5]]", "(1, 1) [[1]]"],
        "tanh · activation": ["(1, 1) [[0.7616]]"],
    }
    assert picture.arrows == [("addmm · layer1", "tanh · activation"), ("x", "addmm · layer1")]


def test_a_model_in_the_caller_s_variables_names_its_parameters():
    model = Network()
    y = model(kobai.tensor([[1.0, 3.0]])).sum()
    y.backward()
    lines = Picture(draw(y)).boxes["addmm"]
    assert lines[0] == "layer1.bias (1) [-1]" and lines[1].startswith("  grad (1) [")
    unfolded = Picture(draw(y, fold=False, params={"weight": model.layer1.weight}))
    assert {"weight", "layer1.bias"} <= set(unfolded.boxes)


def test_hooks_of_a_drawn_module_are_gone_afterwards():
    model = Network()
    draw(model, kobai.tensor([[1.0, 3.0]]))
    assert not any(module._forward_hooks for module in model.modules())
    with pytest.raises(RuntimeError):
        draw(model, kobai.tensor([[1.0, 3.0, 5.0]]))
    assert not any(module._forward_hooks for module in model.modules())


def test_a_function_that_writes_into_its_input_is_drawn_without_it():
    w = leaf(2.0)

    def scale(x):
        x *= 2
        return (x * w).sum()

    picture = Picture(draw(scale, kobai.tensor([1.0, 2.0])))
    assert picture.boxes["sum"][-1] == "= 12" and "w" in picture.boxes


def test_a_leaf_alone_is_a_picture_too():
    w = leaf(2.0)
    assert Picture(draw(w)).boxes == {"w": ["2"]}


def test_fold_puts_leaves_into_their_users_box():
    w, b = leaf(2.0), leaf(1.0)
    y = w * w + b
    y.backward(retain_graph=True)
    picture = Picture(draw(y, fold=True))
    assert picture.boxes["add"] == ["b 1", "  grad 1", "y = 5"]
    assert "w" in picture.boxes  # used twice: where would it go?


@pytest.mark.parametrize("wrong", [5.0, None, "text", {"a": 1}, []])
def test_not_a_tensor(wrong):
    with pytest.raises(TypeError, match=r"(?s)argument 'what' must be a Tensor.*fix: "):
        draw(wrong)


def test_a_call_that_returns_no_tensor():
    with pytest.raises(TypeError, match="returned no Tensor"):
        draw(lambda x: 5, kobai.tensor(1.0))


def test_deep_graph():
    y = leaf(1.0)
    for _ in range(3000):
        y = y + 1
    assert len(Picture(draw(y)).scene.nodes) == 3001


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("AddBackward0", "add"),
        ("NativeLayerNormBackward0", "native_layer_norm"),
        ("MaxPool2DWithIndicesBackward0", "max_pool2d_with_indices"),
        ("CopySlices", "copy_slices"),
        ("SqueezeBackward1", "squeeze"),
        ("TBackward0", "t"),
    ],
)
def test_names_of_operations(node, name):
    assert operation(type(node, (), {})()) == name


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5"), (1e-9, "1e-09"), (123456.0, "1.235e+05"), (math.nan, "nan"), (7, "7")]
)
def test_numbers(value, text):
    assert number(value) == text


def test_a_setting_stands_once_in_a_box():
    import kobai
    x = kobai.tensor([[1.0, 2.0]], requires_grad=True)
    source = kobai.draw((x ** 3 * 2).log_softmax(1).mean(1, keepdim=True).sum()).source
    assert source.count("exponent=3") == 1 and source.count("keepdim=True") == 1 and source.count("dim=1") == 1
    assert "other=2" in source and "sym" not in source
