"""The import names under the hook: whose they are, what is missing, and where the hook reaches."""

import pytest


def test_torch_modules_are_kobais_own(workshop):
    printed = workshop.output("""\
        import torch, torch.nn as nn, torch.nn.functional as F
        import torch.optim, torch.utils.data, torch.autograd
        from torch.utils.data import DataLoader
        import kobai, importlib.util
        print(nn is torch.nn is kobai.nn, F is kobai.nn.functional, torch.utils.data is kobai.utils.data)
        print(torch.Tensor is kobai.Tensor, DataLoader is kobai.utils.data.DataLoader)
        print(kobai.nn.__name__, kobai.nn.__spec__.name, torch.__name__, end=" ")
        print(importlib.util.find_spec("torch").name)
        torch.something = 1
        print(kobai.something, "something" in dir(torch))
        del torch.something
        print(hasattr(kobai, "something"), hasattr(torch, "something"))
        from torch import *
        print(tensor is kobai.tensor)
    """)
    assert printed.splitlines() == [
        "True True True", "True True", "kobai.nn kobai.nn torch torch", "1 True", "False False", "True",
    ]  # fmt: skip


def test_settings_of_backends_are_accepted(workshop):
    printed = workshop.output("""\
        import torch
        import torch.backends.cudnn as cudnn
        cudnn.benchmark = True
        torch.backends.cudnn.deterministic = True
        torch.backends.cuda.matmul.allow_tf32 = True
        print(cudnn is torch.backends.cudnn, cudnn.deterministic, torch.backends.mps.is_available())
    """)
    assert printed == "True True False\n"


def test_the_version_looks_like_pytorchs_and_is_ordered(workshop):
    printed = workshop.output("""\
        import torch, torch.version, kobai
        print(torch.__version__, torch.version.__version__, torch.version.cuda, kobai.__version__)
        print(torch.__version__ >= "2.9", torch.__version__ > (1, 13), torch.__version__ < "3", end=" ")
        print(torch.__version__ >= "2.13.0", torch.__version__ <= "2.12.9")
    """)
    assert printed.splitlines() == ["2.13.0+kobai 2.13.0+kobai None 0.1.0", "True True True True False"]


@pytest.mark.parametrize(
    ("asked", "first", "wanted", "near"),
    [
        ("torch.nn.Lienar", "AttributeError: module 'torch.nn' has no attribute 'Lienar'",
         "torch.nn.Lienar", "torch.nn.Linear"),
        ("torch.Linear", "AttributeError: module 'torch' has no attribute 'Linear'",
         "torch.Linear", "torch.nn.Linear"),
        ("torch.optim.sgd2", "AttributeError: module 'torch.optim' has no attribute 'sgd2'",
         "torch.optim.sgd2", "torch.optim.SGD"),
        ("from torch.nn import Lienar", "ModuleNotFoundError: cannot import name 'Lienar' from 'torch.nn'",
         "torch.nn.Lienar", "torch.nn.Linear"),
        ("from torch.nn.functional import rleu",
         "ModuleNotFoundError: cannot import name 'rleu' from 'torch.nn.functional'",
         "torch.nn.functional.rleu", "torch.nn.functional.relu"),
        ("from torch import Linear", "ModuleNotFoundError: cannot import name 'Linear' from 'torch'",
         "torch.Linear", "torch.nn.Linear"),
        ("import torch.optin", "ModuleNotFoundError: No module named 'torch.optin'",
         "torch.optin", "torch.optim"),
    ],
)  # fmt: skip
def test_a_name_kobai_lacks_is_an_error_that_lists_near_names(workshop, asked, first, wanted, near):
    printed = workshop.output(f"""\
        import torch, torch.nn.functional
        try:
            exec({asked!r})
        except Exception as error:
            print(f"{{type(error).__name__}}: {{error}}")
    """).splitlines()
    assert printed[0] == f"{first}: kobai does not have {wanted}."
    assert near in printed[1].removeprefix("Near names: ").split(", ")


def test_probing_for_missing_names_works_as_usual(workshop):
    printed = workshop.output("""\
        import torch
        import importlib.util
        print(hasattr(torch, "no_such"), getattr(torch.nn, "no_such", 5), hasattr(torch.nn, "__wrapped__"))
        print(importlib.util.find_spec("kobai.no_such"))
        try:
            import torch.no_such
        except ModuleNotFoundError as error:
            print(error.name)
        try:
            from torch import no_such
        except ImportError as error:
            print(error.name)
    """)
    assert printed.splitlines() == ["False 5 False", "None", "torch.no_such", "kobai.no_such"]


def test_an_uncaught_missing_name_suggests_once(workshop):
    workshop.write("program.py", "import torch\ntorch.nn.Lienar(1, 1)\n")
    *_, error, near = workshop.kobai("run", "program.py").stderr.splitlines()
    assert error == (
        "AttributeError: module 'torch.nn' has no attribute 'Lienar': kobai does not have torch.nn.Lienar."
    )
    assert near.startswith("Near names: torch.nn.Linear")
    assert "Did you mean" not in near


def test_a_missing_name_is_explained_in_japanese_too(workshop):
    workshop.write("program.py", "import torch\ntorch.nn.Lienar(1, 1)\n")
    text = workshop.kobai("run", "program.py", LANG="ja_JP.UTF-8", KOBAI_LANG="").stderr
    assert "has no attribute 'Lienar': kobai に torch.nn.Lienar はありません。\n" in text
    assert "\n近い名前: torch.nn.Linear" in text


def test_companions_compiled_against_pytorch_are_refused(workshop):
    workshop.write("site/torchvision.py", "print('imported')\n")
    workshop.write("program.py", "import torchvision\n")
    result = workshop.kobai("run", "program.py")
    assert "imported" not in result.stdout
    assert "kobai does not have torchvision" in result.stderr


def test_the_installed_torch_is_neither_imported_nor_shadowed(workshop):
    workshop.write("program.py", "import torch; from torch import nn; print(torch.__version__, nn.Linear)\n")
    assert "kobai" in workshop.kobai("run", "program.py").stdout
    assert workshop.python("program.py").stdout == "not kobai not kobai\n"
    workshop.write("program.py", "import kobai, torch; print(torch.__version__)\n")
    assert workshop.python("program.py").stdout == "not kobai\n"


CHILD = "import sys; assert 'kobai' not in sys.modules; import torch; print(torch.__version__)"


def test_child_processes_have_the_hook(workshop):
    workshop.write("grandparent.py", f"""\
        import subprocess, sys
        sys.stdout.flush()
        subprocess.run([sys.executable, "-c", {CHILD!r}], check=True)
    """)
    printed = workshop.output(f"""\
        import multiprocessing, subprocess, sys
        def work(queue):
            import torch
            queue.put(torch.__version__)
        if __name__ == "__main__":
            subprocess.run([sys.executable, "-c", {CHILD!r}], check=True)
            subprocess.run([sys.executable, "grandparent.py"], check=True)
            spawn = multiprocessing.get_context("spawn")
            queue = spawn.Queue()
            child = spawn.Process(target=work, args=(queue,))
            child.start()
            print(queue.get())
            child.join()
    """)
    assert printed.split() == ["2.13.0+kobai"] * 3


def test_a_child_without_kobai_says_so_instead_of_finding_another_torch(workshop):
    workshop.write("program.py", """\
        import os, subprocess, sys
        hook, _, *rest = os.environ["PYTHONPATH"].split(os.pathsep)
        without = dict(os.environ, PYTHONPATH=os.pathsep.join([hook, *rest]))
        twice = "for i in range(2):\\n try: import torch\\n except ImportError as e: print(e)"
        # -S: no site-packages, so that an installed kobai is not found either
        start = f"import sys; sys.path.append({hook!r}); import sitecustomize\\n" + twice
        subprocess.run([sys.executable, "-S", "-c", start], env=without)
    """)
    result = workshop.kobai("run", "program.py")
    assert result.stdout.count("torch is kobai's here") == 2, result
    assert "cannot import kobai: No module named 'kobai'" in result.stdout


def test_the_machines_own_start_up_file_still_runs_in_children(workshop):
    workshop.write("site/sitecustomize.py", "import sys; sys.own_start_up = True\n")
    printed = workshop.output("""\
        import subprocess, sys
        code = "import sys, torch; print(sys.own_start_up, torch.__version__)"
        subprocess.run([sys.executable, "-c", code], check=True)
        code = "import sys; print(any('children' in p for p in sys.path))"
        sys.stdout.flush()
        subprocess.run([sys.executable, "-c", code], check=True)
    """)
    assert printed == "True 2.13.0+kobai\nFalse\n"


def test_a_torch_imported_when_python_starts_is_reported(workshop):
    workshop.write("site/sitecustomize.py", "import torch\n")
    workshop.write("program.py", "print('ran')\n")
    result = workshop.kobai("run", "program.py")
    assert result.returncode == 2
    assert result.stderr.startswith("kobai: torch is already imported in this process, and it is not kobai's")
    assert result.stdout == ""


def test_a_name_that_needs_a_package_names_it():
    from kobai.compat.missing import missing_attribute
    text = str(missing_attribute("kobai", "bfloat16", []))
    assert text.startswith("module 'torch' has no attribute 'bfloat16': bfloat16 needs the package ml_dtypes")
    assert text.endswith("\n  fix: pip install ml_dtypes")


def test_near_names_include_those_that_are_not_imported_yet(workshop):
    workshop.write("program.py", "import torch.linalg\ntorch.linalg.erfinv\n")
    assert workshop.kobai("run", "program.py").stderr.splitlines()[-1].startswith("Near names: torch.erfinv")


def test_classes_carry_pytorchs_addresses(workshop):
    """What articles print with type(layer); PyTorch 2.13's text."""
    printed = workshop.output("""\
        import copy, inspect, pickle, torch, torch.nn as nn
        from torch.distributions import HalfNormal, Normal, TransformedDistribution
        from torch.utils.data import DataLoader
        model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.LayerNorm(2))
        for thing in (*model, nn.MSELoss(), torch.optim.AdamW(model.parameters()), DataLoader([1]), torch.Generator(),
                      torch.float32, torch.device("cpu"), torch.no_grad(), (model[0].weight * 2).grad_fn):
            print(type(thing))
        print(Normal, HalfNormal, TransformedDistribution, torch.optim.lr_scheduler.StepLR, nn.Module)
        again = pickle.loads(pickle.dumps(copy.deepcopy(model)))
        print(torch.equal(again[0].weight, model[0].weight), inspect.getsource(nn.Linear)[:12])
    """)
    assert printed.splitlines() == [
        "<class 'torch.nn.modules.linear.Linear'>", "<class 'torch.nn.modules.batchnorm.BatchNorm1d'>",
        "<class 'torch.nn.modules.normalization.LayerNorm'>", "<class 'torch.nn.modules.loss.MSELoss'>",
        "<class 'torch.optim.adamw.AdamW'>", "<class 'torch.utils.data.dataloader.DataLoader'>",
        "<class 'torch._C.Generator'>", "<class 'torch.dtype'>", "<class 'torch.device'>",
        "<class 'torch.autograd.grad_mode.no_grad'>", "<class 'MulBackward0'>",
        "<class 'torch.distributions.normal.Normal'> <class 'torch.distributions.half_normal.HalfNormal'> "
        "<class 'torch.distributions.transformed_distribution.TransformedDistribution'> "
        "<class 'torch.optim.lr_scheduler.StepLR'> <class 'torch.nn.modules.module.Module'>",
        "True class Linear",
    ]  # fmt: skip
