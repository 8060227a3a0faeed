"""Texts of tensors. All expected texts are what PyTorch 2.13 prints."""

import numpy as np
import pytest

from kobai import printing
from kobai.printing import parameter_str, set_printoptions, tensor_str

nan, inf = np.nan, np.inf

# name: (values, dtype, print options, other arguments, PyTorch's text)
CASES = {
    "scalar": (2.0, "float32", {}, {}, "tensor(2.)"),
    "scalar_fraction": (0.1, "float32", {}, {}, "tensor(0.1000)"),
    "scalar_small": (1e-5, "float32", {}, {}, "tensor(1.0000e-05)"),
    "scalar_large": (123456789.0, "float32", {}, {}, "tensor(1.2346e+08)"),
    "scalar_large_exact": (1e8, "float32", {}, {}, "tensor(100000000.)"),
    "scalar_minus_zero": (-0.0, "float32", {}, {}, "tensor(-0.)"),
    "scalar_nan": (nan, "float32", {}, {}, "tensor(nan)"),
    "scalar_minus_inf": (-inf, "float32", {}, {}, "tensor(-inf)"),
    "scalar_rounds_to_0": (0.00012, "float32", {}, {}, "tensor(0.0001)"),
    "scalar_int": (7, "int64", {}, {}, "tensor(7)"),
    "scalar_bool": (True, "bool", {}, {}, "tensor(True)"),
    "scalar_f64": (1.5, "float64", {}, {}, "tensor(1.5000, dtype=torch.float64)"),
    "scalar_f16": (1.5, "float16", {}, {}, "tensor(1.5000, dtype=torch.float16)"),
    "scalar_c64": (1+2.5j, "complex64", {}, {}, "tensor(1.+2.5000j)"),
    "scalar_int8": (-7, "int8", {}, {}, "tensor(-7, dtype=torch.int8)"),
    "integers": ([1.0, -2.0, 30.0], "float32", {}, {}, "tensor([ 1., -2., 30.])"),
    "fractions": ([1.0, -2.5, 30.0], "float32", {}, {}, "tensor([ 1.0000, -2.5000, 30.0000])"),
    "scientific_ratio": ([1.0, 1001.5], "float32", {}, {}, "tensor([1.0000e+00, 1.0015e+03])"),
    "ratio_of_1000": ([0.5, 500.0], "float32", {}, {}, "tensor([  0.5000, 500.0000])"),
    "ratio_above_1000": ([0.5, 500.25], "float32", {}, {}, "tensor([5.0000e-01, 5.0025e+02])"),
    "scientific_small": ([0.00001, 0.5], "float32", {}, {}, "tensor([1.0000e-05, 5.0000e-01])"),
    "big_integers": ([1.0, 2e8], "float32", {}, {}, "tensor([1.0000e+00, 2.0000e+08])"),
    "nonfinite_integers": ([1.0, inf, nan, -inf], "float32", {}, {}, "tensor([1., inf, nan, -inf])"),
    "nonfinite_fractions": ([1.5, inf, nan], "float32", {}, {}, "tensor([1.5000,    inf,    nan])"),
    "only_nonfinite": ([nan, inf, 0.0], "float32", {}, {}, "tensor([nan, inf, 0.])"),
    "zeros_with_scientific": ([0.0, 1e-7], "float32", {}, {}, "tensor([0.0000e+00, 1.0000e-07])"),
    "minus_zero": ([-0.0, 1.5], "float32", {}, {}, "tensor([-0.0000, 1.5000])"),
    "bools": ([True, False], "bool", {}, {}, "tensor([ True, False])"),
    "ints": ([1, -20, 300], "int64", {}, {}, "tensor([  1, -20, 300])"),
    "ints32": ([1, -20, 300], "int32", {}, {}, "tensor([  1, -20, 300], dtype=torch.int32)"),
    "uint8": ([1, 20], "uint8", {}, {}, "tensor([ 1, 20], dtype=torch.uint8)"),
    "half": ([1.5, 65504.0], "float16", {}, {}, "tensor([1.5000e+00, 6.5504e+04], dtype=torch.float16)"),
    "double": ([1.0, 2.0], "float64", {}, {}, "tensor([1., 2.], dtype=torch.float64)"),
    "complex": ([1+2j, -0.5-3.25j], "complex64", {}, {}, "tensor([ 1.0000+2.0000j, -0.5000-3.2500j])"),
    "complex_integers": (
        [1+2j, nan],
        "complex128",
        {},
        {},
        "tensor([1.+2.j, nan+0.j], dtype=torch.complex128)",
    ),
    "empty": ([], "float32", {}, {}, "tensor([])"),
    "empty_int": ([], "int64", {}, {}, "tensor([], dtype=torch.int64)"),
    "empty_bool": ([], "bool", {}, {}, "tensor([], dtype=torch.bool)"),
    "empty_2d": (np.zeros((0, 3)), "float32", {}, {}, "tensor([], size=(0, 3))"),
    "empty_3d_int": (np.zeros((2, 0, 3)), "int64", {}, {}, "tensor([], size=(2, 0, 3), dtype=torch.int64)"),
    "matrix": (
        [[1.0, 2.0], [3.5, 4.0]],
        "float32",
        {},
        {},
        (
            "tensor([[1.0000, 2.0000],\n"
            "        [3.5000, 4.0000]])"
        ),
    ),
    "cube": (
        np.arange(12).reshape(2, 2, 3),
        "int64",
        {},
        {},
        (
            "tensor([[[ 0,  1,  2],\n"
            "         [ 3,  4,  5]],\n"
            "\n"
            "        [[ 6,  7,  8],\n"
            "         [ 9, 10, 11]]])"
        ),
    ),
    "four_dims": (
        np.arange(8).reshape(2, 2, 1, 2),
        "float32",
        {},
        {},
        (
            "tensor([[[[0., 1.]],\n"
            "\n"
            "         [[2., 3.]]],\n"
            "\n"
            "\n"
            "        [[[4., 5.]],\n"
            "\n"
            "         [[6., 7.]]]])"
        ),
    ),
    "wraps": (
        np.arange(30) / 4,
        "float32",
        {},
        {},
        (
            "tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000, 1.2500, 1.5000, 1.7500, 2.0000,\n"
            "        2.2500, 2.5000, 2.7500, 3.0000, 3.2500, 3.5000, 3.7500, 4.0000, 4.2500,\n"
            "        4.5000, 4.7500, 5.0000, 5.2500, 5.5000, 5.7500, 6.0000, 6.2500, 6.5000,\n"
            "        6.7500, 7.0000, 7.2500])"
        ),
    ),
    "wraps_in_matrix": (
        np.arange(50).reshape(2, 25) / 4,
        "float32",
        {},
        {},
        (
            "tensor([[ 0.0000,  0.2500,  0.5000,  0.7500,  1.0000,  1.2500,  1.5000,  1.7500,\n"
            "          2.0000,  2.2500,  2.5000,  2.7500,  3.0000,  3.2500,  3.5000,  3.7500,\n"
            "          4.0000,  4.2500,  4.5000,  4.7500,  5.0000,  5.2500,  5.5000,  5.7500,\n"
            "          6.0000],\n"
            "        [ 6.2500,  6.5000,  6.7500,  7.0000,  7.2500,  7.5000,  7.7500,  8.0000,\n"
            "          8.2500,  8.5000,  8.7500,  9.0000,  9.2500,  9.5000,  9.7500, 10.0000,\n"
            "         10.2500, 10.5000, 10.7500, 11.0000, 11.2500, 11.5000, 11.7500, 12.0000,\n"
            "         12.2500]])"
        ),
    ),
    "summary": (np.arange(1001), "int64", {}, {}, "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    "summary_matrix": (
        np.arange(2000).reshape(20, 100) / 8,
        "float32",
        {},
        {},
        (
            "tensor([[0.0000e+00, 1.2500e-01, 2.5000e-01,  ..., 1.2125e+01, 1.2250e+01,\n"
            "         1.2375e+01],\n"
            "        [1.2500e+01, 1.2625e+01, 1.2750e+01,  ..., 2.4625e+01, 2.4750e+01,\n"
            "         2.4875e+01],\n"
            "        [2.5000e+01, 2.5125e+01, 2.5250e+01,  ..., 3.7125e+01, 3.7250e+01,\n"
            "         3.7375e+01],\n"
            "        ...,\n"
            "        [2.1250e+02, 2.1262e+02, 2.1275e+02,  ..., 2.2462e+02, 2.2475e+02,\n"
            "         2.2488e+02],\n"
            "        [2.2500e+02, 2.2512e+02, 2.2525e+02,  ..., 2.3712e+02, 2.3725e+02,\n"
            "         2.3738e+02],\n"
            "        [2.3750e+02, 2.3762e+02, 2.3775e+02,  ..., 2.4962e+02, 2.4975e+02,\n"
            "         2.4988e+02]])"
        ),
    ),
    "summary_narrow": (
        np.arange(1200).reshape(300, 4),
        "float32",
        {},
        {},
        (
            "tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00, 3.0000e+00],\n"
            "        [4.0000e+00, 5.0000e+00, 6.0000e+00, 7.0000e+00],\n"
            "        [8.0000e+00, 9.0000e+00, 1.0000e+01, 1.1000e+01],\n"
            "        ...,\n"
            "        [1.1880e+03, 1.1890e+03, 1.1900e+03, 1.1910e+03],\n"
            "        [1.1920e+03, 1.1930e+03, 1.1940e+03, 1.1950e+03],\n"
            "        [1.1960e+03, 1.1970e+03, 1.1980e+03, 1.1990e+03]])"
        ),
    ),
    "summary_cube": (
        np.arange(1600).reshape(8, 20, 10),
        "int64",
        {},
        {},
        (
            "tensor([[[   0,    1,    2,  ...,    7,    8,    9],\n"
            "         [  10,   11,   12,  ...,   17,   18,   19],\n"
            "         [  20,   21,   22,  ...,   27,   28,   29],\n"
            "         ...,\n"
            "         [ 170,  171,  172,  ...,  177,  178,  179],\n"
            "         [ 180,  181,  182,  ...,  187,  188,  189],\n"
            "         [ 190,  191,  192,  ...,  197,  198,  199]],\n"
            "\n"
            "        [[ 200,  201,  202,  ...,  207,  208,  209],\n"
            "         [ 210,  211,  212,  ...,  217,  218,  219],\n"
            "         [ 220,  221,  222,  ...,  227,  228,  229],\n"
            "         ...,\n"
            "         [ 370,  371,  372,  ...,  377,  378,  379],\n"
            "         [ 380,  381,  382,  ...,  387,  388,  389],\n"
            "         [ 390,  391,  392,  ...,  397,  398,  399]],\n"
            "\n"
            "        [[ 400,  401,  402,  ...,  407,  408,  409],\n"
            "         [ 410,  411,  412,  ...,  417,  418,  419],\n"
            "         [ 420,  421,  422,  ...,  427,  428,  429],\n"
            "         ...,\n"
            "         [ 570,  571,  572,  ...,  577,  578,  579],\n"
            "         [ 580,  581,  582,  ...,  587,  588,  589],\n"
            "         [ 590,  591,  592,  ...,  597,  598,  599]],\n"
            "\n"
            "        ...,\n"
            "\n"
            "        [[1000, 1001, 1002,  ..., 1007, 1008, 1009],\n"
            "         [1010, 1011, 1012,  ..., 1017, 1018, 1019],\n"
            "         [1020, 1021, 1022,  ..., 1027, 1028, 1029],\n"
            "         ...,\n"
            "         [1170, 1171, 1172,  ..., 1177, 1178, 1179],\n"
            "         [1180, 1181, 1182,  ..., 1187, 1188, 1189],\n"
            "         [1190, 1191, 1192,  ..., 1197, 1198, 1199]],\n"
            "\n"
            "        [[1200, 1201, 1202,  ..., 1207, 1208, 1209],\n"
            "         [1210, 1211, 1212,  ..., 1217, 1218, 1219],\n"
            "         [1220, 1221, 1222,  ..., 1227, 1228, 1229],\n"
            "         ...,\n"
            "         [1370, 1371, 1372,  ..., 1377, 1378, 1379],\n"
            "         [1380, 1381, 1382,  ..., 1387, 1388, 1389],\n"
            "         [1390, 1391, 1392,  ..., 1397, 1398, 1399]],\n"
            "\n"
            "        [[1400, 1401, 1402,  ..., 1407, 1408, 1409],\n"
            "         [1410, 1411, 1412,  ..., 1417, 1418, 1419],\n"
            "         [1420, 1421, 1422,  ..., 1427, 1428, 1429],\n"
            "         ...,\n"
            "         [1570, 1571, 1572,  ..., 1577, 1578, 1579],\n"
            "         [1580, 1581, 1582,  ..., 1587, 1588, 1589],\n"
            "         [1590, 1591, 1592,  ..., 1597, 1598, 1599]]])"
        ),
    ),
    "not_yet_summary": (
        np.zeros((4, 5)),
        "float32",
        dict(threshold=20),
        {},
        (
            "tensor([[0., 0., 0., 0., 0.],\n"
            "        [0., 0., 0., 0., 0.],\n"
            "        [0., 0., 0., 0., 0.],\n"
            "        [0., 0., 0., 0., 0.]])"
        ),
    ),
    "requires": ([1.0], "float32", {}, dict(requires_grad=True), "tensor([1.], requires_grad=True)"),
    "history": (
        [1.0],
        "float32",
        {},
        dict(grad_fn_name="CloneBackward0", requires_grad=True),
        "tensor([1.], grad_fn=<CloneBackward0>)",
    ),
    "history_f64": (
        0.5,
        "float64",
        {},
        dict(grad_fn_name="CloneBackward0", requires_grad=True),
        "tensor(0.5000, dtype=torch.float64, grad_fn=<CloneBackward0>)",
    ),
    "suffix_on_a_new_line": (
        np.arange(11) / 4,
        "float64",
        {},
        dict(requires_grad=True),
        (
            "tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000, 1.2500, 1.5000, 1.7500, 2.0000,\n"
            "        2.2500, 2.5000], dtype=torch.float64, requires_grad=True)"
        ),
    ),
    "suffix_wraps_twice": (
        [0.123, 0.456],
        "float64",
        dict(linewidth=30),
        dict(grad_fn_name="CloneBackward0", requires_grad=True),
        (
            "tensor([0.1230, 0.4560],\n"
            "       dtype=torch.float64,\n"
            "       grad_fn=<CloneBackward0>)"
        ),
    ),
    "precision": ([1.23456, 2.0], "float32", dict(precision=2), {}, "tensor([1.23, 2.00])"),
    "short": (
        np.arange(1002) / 8,
        "float32",
        dict(profile="short"),
        {},
        "tensor([0.00e+00, 1.25e-01,  ..., 1.25e+02, 1.25e+02])",
    ),
    "sci_on": ([1.0, 2.5], "float32", dict(sci_mode=True), {}, "tensor([1.0000e+00, 2.5000e+00])"),
    "sci_on_scalar": (1.0, "float32", dict(sci_mode=True), {}, "tensor(1.0000e+00)"),
    "sci_off": ([1.0, 1e-7], "float32", dict(sci_mode=False), {}, "tensor([1.0000, 0.0000])"),
    "linewidth": (
        np.arange(6) / 4,
        "float32",
        dict(linewidth=25),
        {},
        (
            "tensor([0.0000, 0.2500,\n"
            "        0.5000, 0.7500,\n"
            "        1.0000, 1.2500])"
        ),
    ),
    "edgeitems": (np.arange(40), "int64", dict(threshold=10, edgeitems=1), {}, "tensor([ 0,  ..., 39])"),
    "no_edgeitems": (
        np.arange(40),
        "float32",
        dict(threshold=10, edgeitems=0),
        {},
        "tensor([...], size=(40,))",
    ),
    "edgeitems_0_unsummarised": (
        np.arange(4),
        "float32",
        dict(edgeitems=0),
        {},
        "tensor([0., 1., 2., 3.], size=(4,))",
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _default_options():
    yield
    set_printoptions(profile="default")


@pytest.mark.parametrize("name", CASES)
def test_text(name):
    values, dtype, options, arguments, expected = CASES[name]
    set_printoptions(**options)
    assert tensor_str(np.array(values).astype(dtype), dtype, **arguments) == expected


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("scalar")])
def test_numpy_scalars_print_as_arrays_do(name):
    values, dtype, _, _, expected = CASES[name]
    assert tensor_str(np.dtype(dtype).type(values), dtype) == expected


def test_bfloat16():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    values = np.array([0.1, 3.0], bfloat16)
    assert tensor_str(values, "bfloat16") == "tensor([0.1001, 3.0000], dtype=torch.bfloat16)"
    assert tensor_str(values[0], "bfloat16") == "tensor(0.1001, dtype=torch.bfloat16)"
    assert tensor_str(values[1], "bfloat16") == "tensor(3., dtype=torch.bfloat16)"


def test_default_dtype_decides_what_is_worth_mentioning():
    double, complex_double = np.ones(1), np.ones(1, complex)
    assert tensor_str(double, "float64", default_dtype="float64") == "tensor([1.])"
    assert tensor_str(complex_double, "complex128", default_dtype="float64") == "tensor([1.+0.j])"
    assert (
        tensor_str(double.astype("float32"), "float32", default_dtype="float64")
        == "tensor([1.], dtype=torch.float32)"
    )


def test_views_print_their_own_elements():
    base = np.arange(12, dtype="float32").reshape(3, 4)
    assert tensor_str(base.T[1:3, ::2], "float32") == "tensor([[ 1.,  9.],\n        [ 2., 10.]])"


def test_other_suffixes():
    one = np.ones(1, "float32")
    assert tensor_str(one, "float32", extra=["tangent=1"]) == "tensor([1.], tangent=1)"
    assert tensor_str(one, "float32", device="cuda:0") == "tensor([1.], device='cuda:0')"
    meta = tensor_str(np.empty((2, 3)), "float32", device="meta")
    assert meta == "tensor(..., device='meta', size=(2, 3))"


def test_subclass_prefix_sets_the_indent():
    text = tensor_str(np.eye(2, dtype="float32"), "float32", prefix="Labelled(")
    assert text == "Labelled([[1., 0.],\n          [0., 1.]])"


def test_parameter():
    text = parameter_str(tensor_str(np.ones(2, "float32"), "float32", requires_grad=True))
    assert text == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"


# ---------------------------------------------------------------------------- options


def test_options_can_be_read_and_put_back():
    default = printing.get_printoptions()
    assert default == dict(precision=4, threshold=1000, edgeitems=3, linewidth=80, sci_mode=None)
    set_printoptions(precision=7, sci_mode=True)
    assert printing.get_printoptions() == default | dict(precision=7, sci_mode=True)
    set_printoptions(**default)
    assert printing.get_printoptions() == default


def test_every_call_sets_sci_mode():
    set_printoptions(sci_mode=True)
    set_printoptions(precision=3)  # PyTorch forgets sci_mode here, too
    assert printing.get_printoptions()["sci_mode"] is None


def test_options_within_a_block_end_with_it():
    x = np.array([1.23456], "float32")
    with printing.printoptions(precision=2):
        assert tensor_str(x, "float32") == "tensor([1.23])"
    assert tensor_str(x, "float32") == "tensor([1.2346])"


def test_options_hold_for_single_numbers():
    with printing.printoptions(precision=2):
        assert tensor_str(np.float32(1.23456), "float32") == "tensor(1.23)"
        assert tensor_str(np.float32(1.23456e-7), "float32") == "tensor(1.23e-07)"


def test_profile_full_shows_everything():
    with printing.printoptions(profile="full"):
        assert "..." not in tensor_str(np.arange(3000), "int64")
