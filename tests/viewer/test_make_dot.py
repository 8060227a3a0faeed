"""make_dot of kobai's own graphs, against torchviz 0.0.3's picture of the same program in PyTorch."""

import re
import struct

import pytest

import kobai
from kobai import nn
from kobai.compat.torchviz import make_dot, make_dot_from_trace
from kobai.viewer.parse import parse

# torchviz.make_dot of P5's network, its nodes numbered in the order they appear
NEURON = """digraph {
	graph [size="12,12"]
	node [align=left fontname=monospace fontsize=10 height=0.2 ranksep=0.1 shape=box style=filled]
	0 [label="
 (1, 1)" fillcolor=darkolivegreen1]
	1 [label=TanhBackward0]
	2 -> 1
	2 [label=AddmmBackward0]
	3 -> 2
	4 [label="layer1.bias
 (1)" fillcolor=lightblue]
	4 -> 3
	3 [label=AccumulateGrad]
	5 -> 2
	5 [label=TBackward0]
	6 -> 5
	7 [label="layer1.weight
 (1, 2)" fillcolor=lightblue]
	7 -> 6
	6 [label=AccumulateGrad]
	1 -> 0
}
"""


class NeuralNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(2, 1)
        self.activation = nn.Tanh()

    def forward(self, x):
        return self.activation(self.layer1(x))


@pytest.fixture
def neuron():
    model = NeuralNetwork()
    return model(kobai.tensor([[1.0, 2.0]])), dict(model.named_parameters())


def numbered(source):
    numbers = {}
    return re.sub(r"\b\d{9,}\b", lambda m: str(numbers.setdefault(m[0], len(numbers))), source)


def labels(dot):
    return [node.attrs["label"] for node in parse(dot.source).nodes.values()]


def test_neuron_is_torchviz_s_picture(neuron):
    """P6."""
    y, params = neuron
    assert numbered(make_dot(y, params=params).source) == NEURON


def test_neuron_as_files(neuron, tmp_path):
    y, params = neuron
    dot = make_dot(y, params=params)
    path = dot.render(tmp_path / "graph", format="png")
    data = open(path, "rb").read()
    assert data.startswith(b"\x89PNG") and min(struct.unpack(">II", data[16:24])) > 200
    assert (tmp_path / "graph").read_text() == dot.source


def test_neuron_in_a_notebook(neuron):
    y, params = neuron
    svg = make_dot(y, params=params)._repr_mimebundle_()["image/svg+xml"]
    assert svg.count("AccumulateGrad") >= 2 and "layer1.weight" in svg and "#add8e6" in svg


def test_calls_again_find_the_same_accumulators():
    w = kobai.tensor(2.0, requires_grad=True)
    y = w * w
    dot = make_dot(y)
    assert labels(dot).count("AccumulateGrad") == 1
    assert sum("->" in line for line in dot.body) == 4  # w to its accumulator, twice on, and the result


def test_several_outputs_and_views():
    x = kobai.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    base = x * 2
    dot = make_dot((base.t(), base), params={"x": x})
    colors = [node.attrs.get("fillcolor") for node in parse(dot.source).nodes.values()]
    assert colors.count("darkolivegreen1") == 1 and colors.count("darkolivegreen3") == 1
    assert "style=dotted" in dot.source


def test_saved_tensors_and_attributes():
    x = kobai.tensor([1.0, 2.0], requires_grad=True)
    dot = make_dot(x.tanh(), show_attrs=True, show_saved=True)
    assert "result\n (2)" in labels(dot) and any("result: [saved tensor]" in text for text in labels(dot))


def test_a_list_of_outputs_is_taken_too():
    x = kobai.tensor(1.0, requires_grad=True)
    assert labels(make_dot([x * 2, x * 3])).count("MulBackward0") == 2


@pytest.mark.parametrize(
    ("wrong", "fix"),
    [
        (NeuralNetwork(), r"make_dot\(model\(x\)"),
        ({"loss": 1}, r"make_dot\(tuple\(result.values\(\)\)\)"),
        (3.0, r"without .item\(\)"),
    ],
    ids=["module", "dict", "number"],
)
def test_not_a_tensor(wrong, fix):
    with pytest.raises(TypeError, match=f"(?s)argument 'var' must be a Tensor.*fix: .*{fix}"):
        make_dot(wrong)


def test_params_must_be_named_tensors(neuron):
    y, params = neuron
    with pytest.raises(AssertionError, match=r"params\['a'\] must be a Tensor, not float"):
        make_dot(y, params={"a": 1.0})
    with pytest.raises(TypeError, match=r"(?s)'params' must be a dict.*fix: params=dict\(model"):
        make_dot(y, params=iter(params.items()))


def test_make_dot_from_trace_explains():
    with pytest.raises(NotImplementedError, match="(?s)moved to pytorch core.*fix: .*make_dot"):
        make_dot_from_trace(None)
