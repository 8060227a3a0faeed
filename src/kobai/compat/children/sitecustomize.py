"""Start-up file of the Python processes that a program under `kobai run` starts.

Its folder is on PYTHONPATH while the hook is installed, so Python imports this file before the child's own
code. It costs the child nothing: kobai is imported only when a name is asked for that kobai serves. A
`sitecustomize` that the machine has of its own runs as if this one were not there.
"""

import importlib
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec


class FirstServedName:
    """Waits for the first import of a served name, then puts the real hook in its own place."""

    names = frozenset(os.environ.get("KOBAI_SERVES", "").split(",")) - {""}

    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] not in self.names:
            return None
        sys.meta_path.remove(self)
        try:
            hook = importlib.import_module("kobai.compat.hook")
        except ModuleNotFoundError as error:
            sys.meta_path.insert(0, self)  # a second try must not find another torch
            raise ImportError(  # plain: the catalogue of errors cannot be imported either
                f"{fullname} is kobai's here, because a program under `kobai run` started this process, "
                f"but its Python ({sys.executable}) cannot import kobai: {error}.\n"
                "Install kobai there, or start the process without KOBAI_SERVES in its environment."
            ) from None
        hook.install()
        return sys.meta_path[0].find_spec(fullname, path, target)


def run_the_machines_own() -> None:
    """Import the `sitecustomize` that Python would have found without this one."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [p for p in sys.path if os.path.abspath(p) != here]
    spec = PathFinder.find_spec("sitecustomize")
    if spec is not None and spec.loader is not None:
        module = sys.modules["sitecustomize"] = module_from_spec(spec)
        spec.loader.exec_module(module)


sys.meta_path.insert(0, FirstServedName())
run_the_machines_own()
