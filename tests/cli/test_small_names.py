"""Names that programs reach into PyTorch's files for, and how exceptions are called."""


def test_private_names_of_old_programs(workshop):
    printed = workshop.output("""\
        import pickle, torch
        from torch.nn.modules.module import _addindent
        from torch.optim.lr_scheduler import LRScheduler, StepLR, _LRScheduler
        print(_addindent("a\\nb\\nc", 3).split("\\n"), issubclass(_LRScheduler, LRScheduler), issubclass(StepLR, _LRScheduler))
        class Warmup(_LRScheduler):
            def get_lr(self): return [base * (self.last_epoch + 1) for base in self.base_lrs]
        optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], 0.5)
        scheduler = Warmup(optimizer)
        optimizer.step(); scheduler.step()
        print(scheduler.get_last_lr())
        try:
            torch.linalg.inv(torch.zeros(2, 2))
        except torch.linalg.LinAlgError as e:
            print(type(e).__name__, isinstance(pickle.loads(pickle.dumps(e)), RuntimeError))
    """)
    assert printed.splitlines() == ["['a', '   b', '   c'] True False", "[1.0]", "_LinAlgError True"]


def test_addresses_of_single_classes(workshop):
    printed = workshop.output("""\
        import torch
        from torch.optim import Adam, AdamW
        from torch.optim.adamw import AdamW as same
        from torch.nn.modules.activation import MultiheadAttention, ReLU
        from torch.nn.modules.batchnorm import BatchNorm2d
        from torch.nn.modules.container import Sequential
        from torch.nn.modules.instancenorm import InstanceNorm2d
        from torch.nn.modules.loss import CrossEntropyLoss, _Loss
        from torch.nn.modules.module import Module
        from torch.nn.modules.normalization import LayerNorm
        from torch.nn.parallel.data_parallel import DataParallel
        from torch.nn.parallel.distributed import DistributedDataParallel
        from torch.distributions.exp_family import ExponentialFamily
        from torch.distributions.transforms import ExpTransform
        import torch.nn as nn, torch.nn.modules.linear as linear, torch.optim as optim
        print(AdamW is same is optim.AdamW, linear.Linear is nn.Linear, Module is nn.Module, Sequential is nn.Sequential,
              MultiheadAttention is nn.MultiheadAttention, DataParallel is nn.DataParallel, LayerNorm is nn.LayerNorm)
        for name in "torch.optim.foo", "torch.nn.modules.linear.foo":
            try:
                __import__(name)
            except ModuleNotFoundError as e:
                print(e.name)
        print(torch.backends.mkldnn.is_available(), torch.backends.openmp.is_available(), torch.Size([2]) * 2)
    """)
    assert printed.splitlines() == [" ".join(["True"] * 7), "torch.optim.foo", "torch.nn.modules.linear.foo",
                                    "False False torch.Size([2, 2])"]
