"""Every error of the catalogue is raised somewhere, and those raised exist: what tools/list_raises.py finds."""
import ast
import importlib.util
import pathlib

ROOT = pathlib.Path(__file__).parents[2]


def listed():
    spec = importlib.util.spec_from_file_location("list_raises", ROOT / "tools" / "list_raises.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named_in_code():
    """All texts in the package: an entry's name may be an argument, or the value of a table."""
    names = set()
    for path in (ROOT / "src" / "kobai").rglob("*.py"):
        if "catalogue" not in path.name:
            names |= {n.value for n in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                      if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return names


def test_the_catalogue_and_the_code_agree():
    from kobai.diagnose.catalogue import CATALOGUE
    names = [ast.parse(r.message, mode="eval").body for r in listed().everything() if r.type == "catalogue"]
    used = {n.value for n in names if isinstance(n, ast.Constant)}
    assert len(used) > 50
    assert used <= CATALOGUE.keys()
    assert not CATALOGUE.keys() - named_in_code(), "entries that nothing raises"


def test_no_message_is_plain():
    """What a user can run into comes from the catalogue; where that cannot be, `# plain: why` says so."""
    plain = [f"{r.file}:{r.line}: {r.type}: {r.message}" for r in listed().everything() if r.type != "catalogue"]
    assert not plain, "raise error(kind, exception, ...) instead (kobai/diagnose/catalogue_kinds.py lists the kinds)"


def test_what_stays_plain_says_why():
    """The reason is a few words; "# plain:" alone exempts nothing."""
    reasons = [(path.name, line.partition("# plain:")[2].strip()) for path in (ROOT / "src" / "kobai").rglob("*.py")
               for line in path.read_text(encoding="utf-8").splitlines() if "# plain:" in line]
    assert len(reasons) > 10
    assert not [r for r in reasons if len(r[1].split()) < 2]


def test_plain_messages_are_listed(tmp_path, monkeypatch):
    tool = listed()
    monkeypatch.setattr(tool, "SOURCE", tmp_path)
    (tmp_path / "a.py").write_text(
        "def f(x):\n    raise KeyError(f'{x} already exists')\n\n\ndef g():\n    raise error('shape', ValueError('no'))\n\n\n"
        "def h():\n    raise ValueError('a')  # plain: never seen\n\n\ndef __getattr__(name):\n    raise AttributeError(name)\n\n\n"
        "def _damaged(e):\n    return RuntimeError(f'damaged: {e}')\n\n\ndef i(e):\n    raise _damaged(e)\n\n\n"
        "def j(e):\n    return ValueError('never raised as it is')\n")
    assert [(r.line, r.type) for r in tool.everything()] == [(18, "RuntimeError"), (2, "KeyError"), (6, "catalogue")]
