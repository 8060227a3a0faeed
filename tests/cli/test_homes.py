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


def test_what_is_loaded_late_has_pytorchs_addresses_too(workshop):
    printed = workshop.output("""\
        import torch, torch.nn as nn
        from torch.nn.utils import parametrize, prune
        layer = nn.Linear(2, 2)
        prune.l1_unstructured(layer, "bias", amount=1)
        print(type(list(layer._forward_pre_hooks.values())[0]))
        parametrize.register_parametrization(layer, "weight", nn.Identity())
        print(type(layer))
        print(type(iter(torch.utils.data.DataLoader([1]))).__name__)
    """)
    assert printed.splitlines() == [
        "<class 'torch.nn.utils.prune.L1Unstructured'>",
        "<class 'torch.nn.utils.parametrize.ParametrizedLinear'>",
        "_SingleProcessDataLoaderIter",
    ]  # fmt: skip
