"""Random numbers by machine code: the words of NumPy's Mersenne Twister, and the state it leaves."""
import numpy as np
import pytest

import kobai
from kobai import large
from kobai.backends import llvm
from kobai.generator import Generator

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")


@pytest.fixture(params=[1, 2])
def threads(request):
    before = kobai.get_num_threads()
    kobai.set_num_threads(request.param)
    yield
    kobai.set_num_threads(before)


@pytest.fixture
def twister():
    from kobai.backends.twister import Twister
    return Twister()


def two(seed=5):
    return np.random.MT19937(seed), np.random.MT19937(seed)


def test_words_go_on_where_numpy_stopped_and_the_other_way_round(twister):
    ours, numpys = two()
    for n in (1, 5, 623, 624, 625, 1, 1000, 2000, 1249, 100_001, 0):
        assert twister.words(ours, n).tolist() == numpys.random_raw(n).tolist()
        assert ours.random_raw(3).tolist() == numpys.random_raw(3).tolist()
    a, b = ours.state["state"], numpys.state["state"]
    assert a["pos"] == b["pos"] and (a["key"] == b["key"]).all()


@pytest.mark.parametrize("n", [1, 7, 100, 40_001])
def test_numbers_in_the_unit_interval(n, twister, threads):
    ours, numpys = two()
    words = numpys.random_raw(n)
    wanted = (words & np.uint64(0xFFFFFF)).astype(np.float64) / 2**24
    assert twister.unit32(ours, n).tolist() == wanted.tolist()
    first, second = numpys.random_raw(2 * n).reshape(n, 2).T
    wanted = [((int(a) << 32 | int(b)) % 2**53) / 2**53 for a, b in zip(first, second)]
    assert twister.unit64(ours, n).tolist() == wanted


@pytest.mark.parametrize("p", [0.0, 2.0**-60, 0.1, 0.5, 1 - 2.0**-53, 1.0])
def test_hits_are_the_numbers_below_a_probability(p, twister, threads):
    ours, other = two()
    hits = twister.hits(ours, 40_001, p)
    assert hits.dtype == np.float32
    assert hits.tolist() == (twister.unit64(other, 40_001) < p).astype("f4").tolist()


@pytest.mark.parametrize("draw", [
    lambda: kobai.rand(70, 50), lambda: kobai.randn(70, 50), lambda: kobai.rand(3000, dtype=kobai.float64),
    lambda: kobai.nn.functional.dropout(kobai.ones(70, 50), 0.3), lambda: kobai.bernoulli(kobai.full((70, 50), 0.3)),
    lambda: kobai.empty(70, 50).bernoulli_(0.3)])
def test_programs_draw_the_same_numbers_either_way(draw, monkeypatch):
    seen = []
    for start in (1 << 60, 0):
        use = large.count(start)
        monkeypatch.setattr(large, "_draws", use)
        kobai.manual_seed(7)
        seen.append([draw().tolist(), draw().tolist(), kobai.get_rng_state().tolist()])
        assert bool(use.run) == (start == 0)
    assert seen[0] == seen[1]


def test_a_state_that_was_saved_between(monkeypatch):
    monkeypatch.setattr(large, "_draws", large.count(0))
    g = Generator().manual_seed(3)
    g._unit32(5000)
    state = g.get_state()
    a = g._unit32(5000)
    g.set_state(state)
    np.testing.assert_array_equal(g._unit32(5000), a)
