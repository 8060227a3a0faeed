"""The modules of PyTorch's that classes are shown in under the hook."""
import sys

import kobai.distributions  # its files are looked for among the imported modules
from kobai.compat import homes


class Address(str):
    """A module's name; while it is looked at, another module is imported, as a second thread may do."""

    def rpartition(self, sep):
        sys.modules[f"imported_meanwhile_{len(sys.modules)}"] = kobai
        return super().rpartition(sep)


def test_other_threads_may_import_meanwhile(monkeypatch):
    monkeypatch.setattr(sys, "modules", {Address("a"): kobai, Address("b"): kobai, **sys.modules})
    assert homes.home_of("kobai.distributions.positive", "HalfNormal") == "torch.distributions.half_normal"
