"""Modules of settings that are kept and have no effect, such as `torch._dynamo.config`."""
from __future__ import annotations

import contextlib
from types import ModuleType


class Options(ModuleType):
    """The settings as attributes; `patch` sets some for a while."""

    def patch(self, arg=None, value=None, **changes):
        """A context manager, or decorator, that sets options: patch(name=value), patch("name", value) or patch({...})."""
        return self._patched({arg: value} if isinstance(arg, str) else {**(arg or {}), **changes})

    @contextlib.contextmanager
    def _patched(self, changes):
        before = {k: self.__dict__[k] for k in changes if k in self.__dict__}
        self.__dict__.update(changes)
        try:
            yield
        finally:
            for k in changes:
                del self.__dict__[k]
            self.__dict__.update(before)

    def save_config(self):
        """The settings, for `load_config`."""
        return {k: v for k, v in self.__dict__.items() if k[0] != "_"}

    def load_config(self, saved):
        """Settings that were saved."""
        self.__dict__.update(saved)


def options(name: str, doc, **values) -> Options:
    """A module of settings with these values at first."""
    module = Options(name, doc)
    module.__dict__.update(values)
    return module
