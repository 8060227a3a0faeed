"""No worker and no epoch repeats the random numbers of another.

In PyTorch 2.13 each of the generators tested here repeats: all workers draw the same, and every
epoch draws what the first one drew.
"""

import functools
import gc
import multiprocessing
import random

import numpy as np
import pytest

import kobai
from kobai.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info
from kobai.utils.data.randomness import HeldGenerators, divides_itself

pytestmark = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(),
                                reason="datasets defined in tests need fork")


class Noise(Dataset):
    """Samples are what `draw()` gives."""

    def __init__(self, draw):
        self.draw = draw

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return self.draw()


def three_epochs(dataset, **options):
    """Two epochs of one loader and one of another, as a list of samples."""
    loader = DataLoader(dataset, batch_size=None, num_workers=2, **options)
    again = DataLoader(dataset, batch_size=None, num_workers=2, **options)
    return [sample for each in (loader, loader, again) for sample in each]


def of_closure():
    generator = np.random.default_rng(0)
    return lambda: generator.normal()


MODULE_LEVEL = np.random.default_rng(0)
SPAWNING = np.random.default_rng(0)
OURS = kobai.Generator().manual_seed(0)

DRAWS = {
    "default_rng": np.random.default_rng(0).normal,
    "Philox": np.random.Generator(np.random.Philox(0)).random,
    "MT19937": np.random.Generator(np.random.MT19937(0)).normal,
    "RandomState": np.random.RandomState(0).normal,
    "Random": random.Random(0).random,
    "Random.gauss": functools.partial(random.Random(0).gauss, 0, 1),
    "Generator": lambda: kobai.rand((), generator=OURS).item(),
    "module": lambda: MODULE_LEVEL.normal(),
    "closure": of_closure(),
    "spawn": lambda: SPAWNING.spawn(1)[0].random(),
    "random": random.random,
    "np.random": np.random.normal,
    "kobai": lambda: kobai.rand(()).item(),
}


def draw_all():
    return {name: draw() for name, draw in DRAWS.items()}


@pytest.mark.parametrize("persistent", [False, True])
def test_nothing_repeats_and_a_seed_fixes_everything(persistent):
    kobai.manual_seed(0)
    first = three_epochs(Noise(draw_all), persistent_workers=persistent)
    for name in DRAWS:
        assert len({sample[name] for sample in first}) == len(first) == 18, name
    kobai.manual_seed(0)
    assert three_epochs(Noise(draw_all), persistent_workers=persistent) == first


def test_generators_that_are_frozen():
    """Programs call gc.freeze() before they fork, and what is frozen is not among the objects of the collector."""
    generator = np.random.default_rng(0)
    gc.freeze()
    assert len(set(three_epochs(Noise(generator.random)))) == 18
    assert gc.get_freeze_count()


def test_half_used_normal_numbers_are_not_handed_out_by_every_worker():
    state, rand = np.random.RandomState(0), random.Random(0)
    state.normal(), rand.gauss(0, 1)                # both now hold the second of a pair
    samples = three_epochs(Noise(lambda: (state.normal(), rand.gauss(0, 1))))
    assert all(len(set(numbers)) == 18 for numbers in zip(*samples))


def test_generators_of_the_main_process_stay_as_they_are():
    generator = np.random.default_rng(0)
    before = generator.bit_generator.state
    list(DataLoader(Noise(generator.random), num_workers=2))
    assert generator.bit_generator.state == before


def test_worker_init_fn_has_the_last_word():
    def init(worker):
        get_worker_info().dataset.generator.seed(5)

    dataset = Noise(None)
    dataset.generator = np.random.RandomState(0)
    dataset.draw = dataset.generator.random_sample
    loader = DataLoader(dataset, num_workers=2, worker_init_fn=init)
    expected = np.random.RandomState(5).random_sample(3).repeat(2)
    assert [batch.item() for batch in loader] == expected.tolist()


class Shuffled(IterableDataset):
    """Each worker shuffles all the data and takes its share of them."""

    def __init__(self):
        self.generator = np.random.default_rng(0)

    def __iter__(self):
        info = get_worker_info()
        for index in self.generator.permutation(20)[info.id::info.num_workers]:
            yield int(index), self.generator.normal()


@pytest.mark.parametrize("persistent", [False, True])
def test_shares_of_a_shuffled_stream_fit_together_and_are_new_in_every_epoch(persistent):
    loader = DataLoader(Shuffled(), num_workers=2, persistent_workers=persistent)
    orders = []
    for _ in range(3):
        order, noise = zip(*[(index.item(), x.item()) for index, x in loader])
        assert sorted(order) == list(range(20))
        assert len(set(noise[2:])) == 18            # the first of each worker may be alike
        orders.append(order)
    assert len(set(orders)) == 3


class Drawn(IterableDataset):
    def __init__(self):
        self.generator = np.random.default_rng(0)

    def __iter__(self):
        for _ in range(3):
            yield self.generator.normal()


def test_a_stream_that_divides_nothing_has_its_own_numbers_from_the_start():
    numbers = three_epochs(Drawn())
    assert len(set(numbers)) == 18


def test_which_datasets_divide_themselves():
    class Outer(Drawn):
        def __init__(self, inner):
            self.inner = inner

    assert divides_itself(Shuffled()) and divides_itself(Outer(Shuffled()))
    assert divides_itself(Drawn() + Shuffled())
    assert not divides_itself(Drawn()) and not divides_itself(Noise(None))


def test_find_knows_all_but_the_global_and_the_unseedable_ones():
    held = [np.random.default_rng(1).bit_generator, random.Random(1), np.random.RandomState(1),
            kobai.Generator()]
    secret = random.SystemRandom()
    found = {id(each) for each in HeldGenerators.find()}
    assert {id(each) for each in held} <= found
    assert id(secret) not in found and id(random._inst) not in found
    assert id(np.random.mtrand._rand) not in found and id(kobai.default_generator) not in found
