"""Switches that change nothing here, but answer as PyTorch's."""
import pytest

import kobai


@pytest.fixture(autouse=True)
def _as_before():
    yield
    kobai.set_deterministic_debug_mode("default")
    kobai.set_warn_always(False)


def test_the_debug_mode_is_the_other_switch_by_one_word():
    kobai.set_deterministic_debug_mode("warn")
    assert kobai.get_deterministic_debug_mode() == 1
    assert kobai.is_deterministic_algorithms_warn_only_enabled()
    kobai.use_deterministic_algorithms(True)
    assert kobai.get_deterministic_debug_mode() == 2
    with pytest.raises(RuntimeError, match="expected one of `default`"):
        kobai.set_deterministic_debug_mode("often")
    with pytest.raises(RuntimeError, match="expected 0, 1, or 2"):
        kobai.set_deterministic_debug_mode(5)


def test_the_word_turns_the_other_switch():
    from kobai.autograd.mode import runs
    kobai.set_deterministic_debug_mode("error")
    assert runs.fixed
    kobai.set_deterministic_debug_mode("default")
    assert not runs.fixed and not kobai.are_deterministic_algorithms_enabled()


def test_what_was_set_is_what_is_read():
    kobai.set_num_interop_threads(3)
    kobai.set_warn_always(True)
    assert kobai.get_num_interop_threads() == 3
    assert kobai.is_warn_always_enabled()
    with pytest.raises(RuntimeError, match="positive integer"):
        kobai.set_num_interop_threads(0)
    with pytest.raises(RuntimeError, match="expects a bool"):
        kobai.set_warn_always(1)


def test_the_gradient_of_a_leaf_has_its_dtype():
    x = kobai.ones(2, dtype=kobai.float64, requires_grad=True)
    assert x.grad_dtype is kobai.float64
    with pytest.raises(RuntimeError, match="grad_dtype can only be accessed on leaf tensors."):
        (x * 2).grad_dtype
