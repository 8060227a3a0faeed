"""The scalar IR: building, printing, verifying. Expected texts are written out here."""

import math

import numpy as np
import pytest

from kobai.compile.builder import Builder, build
from kobai.compile.kernel import (
    REDUCTIONS,
    TRANSCENDENTAL,
    VOCABULARY,
    Kernel,
    KernelError,
    Node,
    NoKernel,
    Operand,
    scalar_type,
)


def test_printed_kernel():
    softmax = build(lambda k, x: k.exp(x - k.amax(x)) / k.sum(k.exp(x - k.amax(x))), ["f32"], "softmax")
    lines = [" ".join(line.split()) for line in str(softmax).splitlines()]
    assert lines == [
        "kernel softmax(x0: f32) -> f32",
        "%0 = load x0 f32",
        "%1 = amax %0 f32",
        "%2 = sub %0 %1 f32",
        "%3 = exp %2 f32",
        "%4 = sum %3 f32",
        "%5 = div %3 %4 f32",
        "return %5",
    ]


def test_equal_subexpressions_are_one_node():
    kernel = build(lambda k, a, b: (a + b) * (b + a) + k.tanh(a + b), ["f32", "f32"])
    assert [n.op for n in kernel.nodes].count("add") == 2  # a + b, and the outer sum


def test_subtraction_does_not_commute():
    kernel = build(lambda k, a, b: (a - b) * (b - a), ["f32", "f32"])
    assert [n.op for n in kernel.nodes].count("sub") == 2


def test_zeros_of_different_sign_are_different_constants():
    kernel = build(lambda k, x: (x + k.const(0.0, "f32"), x + k.const(-0.0, "f32")), ["f32"])
    assert [n.attr[0] for n in kernel.nodes if n.op == "const"].__repr__() == "[0.0, -0.0]"


def test_what_no_output_needs_is_dropped():
    kernel = build(lambda k, x: (k.exp(x), x * 2)[1], ["f32"])
    assert [n.op for n in kernel.nodes] == ["load", "const", "mul"]


def test_equal_code_has_an_equal_key():
    def emit(k, x):
        return k.exp(x) + 1

    assert build(emit, ["f32"], "a") == build(emit, ["f32"], "b")
    assert build(emit, ["f32"]) != build(emit, ["f64"])
    assert build(lambda k, x: x + 0.1, ["f32"]) != build(lambda k, x: x + 0.2, ["f32"])


def test_numbers_take_the_type_beside_them():
    kernel = build(lambda k, x, i: (1 / (1 + x), i * 2), ["f32", "i64"])
    assert {n.dtype for n in kernel.nodes if n.op == "const"} == {"f32", "i64"}


def test_constants_are_rounded_to_their_type():
    kernel = build(lambda k, x: x + 0.1, ["f32"])
    assert kernel.nodes[1].attr[0] == float(np.float32(0.1))


def test_integer_constants_wrap_around():
    k = Builder()
    assert k.nodes[k.const(300, "u8").id].attr[0] == 44
    assert k.nodes[k.const(200, "i8").id].attr[0] == -56


def test_power_of_a_small_number_is_a_product():
    ops = [n.op for n in build(lambda k, x: x**3, ["f32"]).nodes]
    assert ops == ["load", "mul", "mul"]
    assert "pow" in [n.op for n in build(lambda k, x: x**1.7, ["f32"]).nodes]


def test_per_row_values():
    k = Builder()
    x, row = k.operand("f32"), k.operand("f32", per_row=True)
    kernel = k.finish(k.sum(x) * row + 1, x * row)
    assert [kernel.per_row[i] for i in kernel.outputs] == [True, False]


@pytest.mark.parametrize(
    ("emit", "message"),
    [
        (lambda k, x, i: x + i, "different|one type"),
        (lambda k, x, i: i + 0.5, "does not fit"),
        (lambda k, x, i: k.exp(i), "does not take i32"),
        (lambda k, x, i: x & x, "does not take f32"),
        (lambda k, x, i: k.cast(x, "bf16") + k.cast(x, "bf16"), "cast to f32 first"),
        (lambda k, x, i: x if x > 0 else -x, "k.where"),
        (lambda k, x, i: k.where(x > 0, 1.0, 2.0), "only Python numbers"),
    ],
)
def test_mistakes_in_emit_are_explained(emit, message):
    with pytest.raises(KernelError, match=message):
        build(emit, ["f32", "i32"])


def test_complex_has_no_scalar_type():
    with pytest.raises(NoKernel, match="complex64"):
        scalar_type(np.complex64)


X = Node("load", (), (0, "f32"), "f32")


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([Node("frobnicate", (), None, "f32")], "vocabulary"),
        ([X, Node("add", (0,), None, "f32")], "2 arguments"),
        ([X, Node("neg", (1,), None, "f32")], "defined later"),
        ([X, Node("neg", (0,), None, "f64")], "f64, not f32"),
        ([X, Node("lt", (0, 0), None, "f32")], "f32, not bool"),
        ([X, Node("where", (0, 0, 0), None, "f32")], "condition"),
        ([X, Node("cast", (0,), "i32", "i64")], "i64, not i32"),
        ([X, Node("bitcast", (0,), "i64", "i64")], "differ in size"),
        ([Node("load", (), (1, "f32"), "f32")], "no operand 1"),
        ([Node("load", (), (0, "f64"), "f64")], "operand 0 has type f32"),
    ],
)
def test_the_verifier_finds_broken_kernels(nodes, message):
    with pytest.raises(KernelError, match=message):
        Kernel("broken", [Operand("x", "f32")], nodes, [len(nodes) - 1]).verify()


def test_missing_output():
    with pytest.raises(KernelError, match="%7"):
        Kernel("broken", [Operand("x", "f32")], [X], [7]).verify()


def test_every_operation_has_an_executable_definition():
    from kobai.backends.numpy import FUNCTIONS

    special = {"load", "const", "index", "size", "cast", "bitcast", "table"}
    assert set(FUNCTIONS) | special == set(VOCABULARY)
    assert set(REDUCTIONS) <= set(FUNCTIONS)


def test_every_operation_has_llvm_code():
    from kobai.backends import llvm_text as text

    named = {
        *text.BINARY,
        *text.COMPARE,
        *text.INTRINSICS,
        *TRANSCENDENTAL,
        *REDUCTIONS,
        "load",
        "const",
        "index",
        "size",
    }
    for op in set(VOCABULARY) - named:
        assert hasattr(text.Writer, "_" + op), op


def test_every_operation_can_be_built():
    operators = {"add", "sub", "mul", "eq", "lt", "le", "and", "or", "xor", "shl", "shr"}
    for op in set(VOCABULARY) - operators - {"load"}:
        assert hasattr(Builder, op), op


def test_special_constants_print_apart():
    kernel = build(lambda k, x: k.maximum(x, math.inf) + k.minimum(x, math.nan), ["f64"])
    assert "inf" in str(kernel) and "nan" in str(kernel)
