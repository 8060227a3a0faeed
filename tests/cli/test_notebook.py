"""`%load_ext kobai` and `%unload_ext kobai`, through the functions that IPython calls."""

LOAD = "import kobai; kobai.load_ipython_extension(None)\n"


def test_loading_serves_torch_and_unloading_gives_it_back(workshop):
    workshop.write("cells.py", """\
import kobai, os, sys
before = vars(kobai.nn).get("__getattr__"), vars(kobai.nn.functional).get("__path__"), len(sys.meta_path)
""" + LOAD + """\
import torch, torch.nn.functional
linear = torch.nn.Linear
print(torch.__version__, linear is kobai.nn.Linear)
kobai.load_ipython_extension(None)  # a second time changes nothing
kobai.unload_ipython_extension(None)
import torch, torch.nn
print(torch.__version__, torch.nn.Linear)
print([n for n in os.environ if n.startswith("KOBAI_SERVES")], "children" in os.environ["PYTHONPATH"])
after = vars(kobai.nn).get("__getattr__"), vars(kobai.nn.functional).get("__path__"), len(sys.meta_path)
print(before == after)
""")
    result = workshop.python("cells.py")
    assert result.stdout.splitlines() == [
        "2.13.0+kobai True", "not kobai not kobai", "[] False", "True",
    ], result.stderr  # fmt: skip


def test_loading_again_after_unloading(workshop):
    workshop.write("cells.py", LOAD + "import torch\nkobai.unload_ipython_extension(None)\n" + LOAD + """\
import torch
print(torch.__version__, torch.nn is kobai.nn, torch)
""")
    result = workshop.python("cells.py")
    assert result.stdout == "2.13.0+kobai True <module 'torch' (kobai.compat.torch)>\n", result.stderr


def test_loading_after_pytorch_is_refused(workshop):
    workshop.write("cells.py", "import torch\n" + LOAD)
    result = workshop.python("cells.py")
    assert result.returncode == 1
    assert "RuntimeError: torch is already imported in this process, and it is not kobai's" in result.stderr
    assert "restart the kernel" in result.stderr
