"""`torch.version` under the hook: the PyTorch whose behaviour kobai follows."""

from __future__ import annotations

import re


class TorchVersion(str):
    """A version text whose order is that of its numbers, also against tuples.

    >>> TorchVersion("2.13.0+kobai") > "2.9", TorchVersion("2.13.0+kobai") >= (2, 13)
    (True, True)
    """

    def __lt__(self, other):
        return _numbers(self) < _numbers(other)

    def __le__(self, other):
        return _numbers(self) <= _numbers(other)

    def __gt__(self, other):
        return _numbers(self) > _numbers(other)

    def __ge__(self, other):
        return _numbers(self) >= _numbers(other)


def _numbers(version) -> tuple[int, ...]:
    """The numbers of a release, without zeros at the end: 2.13.0+cpu is (2, 13), as is "2.13"."""
    if isinstance(version, str):
        version = re.split(r"[^\d.]", version, maxsplit=1)[0].split(".")
    parts = [int(p or 0) for p in version]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


__version__ = TorchVersion("2.13.0+kobai")
cuda: str | None = None
hip: str | None = None
debug = False
git_version = "kobai"
