"""`torch._logging` under the hook: why functions run eagerly is said by the logger "kobai.compile"."""
from __future__ import annotations

import logging

__all__ = ["get_artifact_logger", "set_logs"]


def set_logs(*, graph_breaks=False, recompiles=False, dynamo=None, all=None, modules=None, **others):
    """Show why functions run eagerly, where `graph_breaks`, `recompiles` or all is asked for."""
    if graph_breaks or recompiles or dynamo or all:
        log = logging.getLogger("kobai.compile")
        log.setLevel(logging.INFO)
        if not log.handlers and not logging.getLogger().handlers:
            log.addHandler(logging.StreamHandler())


def get_artifact_logger(module_qname, artifact_name):
    """A logger of that name."""
    return logging.getLogger(f"{module_qname}.{artifact_name}")
