"""Plans of programs that draw random numbers are not kept on disk: what they draw is not in their text."""
import kobai as torch
from kobai.compile import keep


def _long(draw):
    def f(x):
        y = x + draw()
        for _ in range(keep.LEAST):
            y = y.sin()
        return y, draw()
    return torch.compile(f)


def test_numbers_of_one_kind_are_not_taken_for_those_of_another(tmp_path, monkeypatch):
    monkeypatch.setenv("KOBAI_CACHE_DIR", str(tmp_path))
    few, many = _long(lambda: torch.randint(0, 2, (50,))), _long(lambda: torch.randint(1000, 2000, (50,)))
    for f, low, high in ((few, 0, 2), (many, 1000, 2000)):
        for _ in range(5):
            _, drawn = f(torch.zeros(50))
            assert low <= int(drawn.min()) and int(drawn.max()) < high
        assert f.reason is None
