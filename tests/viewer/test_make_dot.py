"""make_dot of kobai's own graphs, against torchviz 0.0.3's picture of the same program in PyTorch."""

import re
import struct

import pytest

import kobai
import kobai as torch
from kobai import nn
from kobai.compat.torchviz import make_dot, make_dot_from_trace
from kobai.nn import functional as F
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


# Labels as torchviz 0.0.3 on PyTorch 2.13 writes them with show_attrs=True.
@pytest.mark.parametrize("make, label", [
    (lambda a, b: a + b, "AddBackward0\n------------\nalpha: 1"),
    (lambda a, b: a * 2, "MulBackward0\n---------------------\nother: [saved tensor]\nself :           None"),
    (lambda a, b: a ** 2, "PowBackward0\n------------------------\nexponent:              2\nself    : [saved tensor]"),
    (lambda a, b: a.sum(), "SumBackward0\n--------------------\nself_sym_sizes: (3,)"),
    (lambda a, b: a.mean(), "MeanBackward0\n--------------------\nself_sym_numel:    3\nself_sym_sizes: (3,)"),
    (lambda a, b: a[0], "SelectBackward0\n--------------------\ndim           :    0\nindex         :    0\nself_sym_sizes: (3,)"),
    (lambda a, b: a[1:], "SliceBackward0\n-----------------------------------\ndim           :                   0\n"
     "end           : 9223372036854775807\nself_sym_sizes:                (3,)\nstart         :                   1\n"
     "step          :                   1"),
    (lambda a, b: F.linear(torch.ones(1, 3), a.detach().reshape(1, 3).requires_grad_(), b[:1]),
     "AddmmBackward0\n--------------------------------\nalpha           :              1\nbeta            :              1\n"
     "mat1            : [saved tensor]\nmat1_sym_sizes  :         (1, 3)\nmat1_sym_strides:             ()\n"
     "mat2            :           None\nmat2_sym_sizes  :         (3, 1)\nmat2_sym_strides:         (1, 3)"),
    (lambda a, b: F.mse_loss(a, b), "MseLossBackward0\n-------------------------\nreduction:              1\n"
     "self     : [saved tensor]\ntarget   : [saved tensor]"),
    (lambda a, b: F.nll_loss(F.log_softmax(a.detach().reshape(1, 3).requires_grad_(), 1), torch.tensor([0])),
     "NllLossBackward0\n----------------------------------\nignore_index: 18446744073709551516\n"
     "reduction   :                    1\nself        :       [saved tensor]\ntarget      :       [saved tensor]\n"
     "total_weight:       [saved tensor]\nweight      :                 None"),
])
def test_attributes_have_pytorch_s_names(make, label):
    a, b = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    assert f'"{label}"' in make_dot(make(a, b), show_attrs=True).source


def test_saved_values_by_pytorch_s_names():
    a, b = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([4.0, 8.0], requires_grad=True)
    node = (a / b).grad_fn
    assert node._saved_self.tolist() == [1, 2] and node._saved_other.tolist() == [4, 8]
    node = F.layer_norm(a, (2,)).grad_fn
    assert node._saved_result1.tolist() == [1.5] and node._saved_result2.tolist() == pytest.approx([2.0], rel=1e-4)
    node = F.nll_loss(a.reshape(1, 2), torch.tensor([1]), ignore_index=0).grad_fn
    assert node._saved_total_weight.item() == 1 and node._saved_ignore_index == 0
    assert (a * 2).grad_fn._saved_other.item() == 2 and (a * 2).grad_fn._saved_self is None
    assert dir(a.relu().grad_fn).count("_saved_result") == 1


def test_a_written_view_looks_as_in_pytorch():
    a, b = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    y = a * 2
    y[0] = b[0]
    names = [fn.name() for fn, _ in y.grad_fn.next_functions]
    assert (y.grad_fn.name(), names) == ("CopySlices", ["MulBackward0", "SelectBackward0"])
    y = a * 2
    y.view(3, 1).add_(1)
    assert [fn and fn.name() for fn, _ in y.grad_fn.next_functions] == ["MulBackward0", None]
    y.sum().backward()
    assert a.grad.tolist() == [2, 2, 2]
