"""The logger through which TensorFlow's names warn, in TensorFlow's form."""
from __future__ import annotations

import logging

log = logging.getLogger("tensorflow")
if not log.handlers:
    _handler = logging.StreamHandler()
    _handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))
    log.addHandler(_handler)
    log.propagate = False
