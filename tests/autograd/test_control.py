"""torch.cond, torch.while_loop and torch.func.rearrange; expectations are PyTorch's."""
import pytest

import kobai
from kobai.func import debug_unwrap, rearrange, vmap


def test_cond_takes_one_branch_and_its_gradient():
    x = kobai.tensor(2.0, requires_grad=True)
    kobai.cond(x > 1, lambda v: v * v, lambda v: 1 / (v - 2), (x,)).backward()
    assert x.grad.item() == 4


def test_cond_inside_vmap_picks_for_each_example():
    def f(x):
        return kobai.cond(x > 0, lambda v: v * 2, lambda v: -v, (x,))
    assert vmap(f)(kobai.tensor([1.0, -3.0])).tolist() == [2, 3]


def test_cond_refuses_a_vector():
    with pytest.raises(RuntimeError, match="Expected pred to be bool or single-element tensor"):
        kobai.cond(kobai.tensor([True, False]), lambda: 1, lambda: 2)


def test_while_loop_records_what_it_runs():
    x = kobai.tensor(2.0, requires_grad=True)
    i, y = kobai.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x), (kobai.tensor(0), kobai.tensor(1.0)))
    y.backward()
    assert (i.item(), y.item(), x.grad.item()) == (3, 8, 12)


@pytest.mark.parametrize("pattern, sizes, shape", [
    ("a b c -> c (b a)", {}, (4, 6)), ("a ... -> (...) a", {}, (12, 2)), ("a b c -> a b c 1 ()", {}, (2, 3, 4, 1, 1)),
    ("a b (c d) -> d a (b c)", {"d": 2}, (2, 2, 6)), ("... c -> c ...", {}, (4, 2, 3)),
])
def test_shapes_of_rearrange(pattern, sizes, shape):
    assert tuple(rearrange(kobai.arange(24.0).view(2, 3, 4), pattern, **sizes).shape) == shape


def test_rearrange_moves_elements_as_its_names_say():
    x = kobai.arange(24).view(2, 3, 4)
    assert rearrange(x, "a b (c d) -> d a (b c)", c=2)[1, 0].tolist() == [x[0, b, 2 * c + 1] for b in range(3) for c in range(2)]
    assert rearrange([x, x + 100], "l a b c -> a (l b) c")[1, 4].tolist() == (x[1, 1] + 100).tolist()


@pytest.mark.parametrize("pattern, phrase", [
    ("a b c -> a b", "only on one side"), ("a b c", "single '->'"), ("a b -> a b", "Number of dimensions"),
    ("a b (c d) -> a b c d", "cannot infer"), ("a b ((c d)) -> a b c d", "one-level"), ("a b (c -> a b c", "Imbalanced"),
    ("a b c -> a b c c", "duplicate"), ("a 2 c -> a c", "unnamed axes"), ("a b+ c -> a b c", "Unknown character"),
])
def test_patterns_that_do_not_fit(pattern, phrase):
    with pytest.raises(ValueError, match=phrase):
        rearrange(kobai.zeros(2, 3, 4), pattern)


def test_debug_unwrap_shows_what_transforms_hold():
    seen = []
    vmap(vmap(lambda x: seen.append((debug_unwrap(x), debug_unwrap(x, recurse=False))) or x))(kobai.ones(2, 3))
    assert tuple(seen[0][0].shape) == (2, 3)
    assert tuple(seen[0][1].shape) == (3,)
