"""kobai's own pure wheel, made from the files of the installed package: nothing is downloaded or compiled."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import kobai

PACKAGE = Path(kobai.__file__).parent
# What a program in a page cannot use: the site itself, caches, and the start-up file of child processes.
LEFT_OUT = ("__pycache__", "site", "examples", "children")
# The same files give the same bytes, so a rebuilt site does not change where nothing has.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def wheel_name() -> str:
    """File name of the wheel.

    >>> wheel_name().endswith("-py3-none-any.whl")
    True
    """
    return f"kobai-{kobai.__version__}-py3-none-any.whl"


def write_wheel(path: Path) -> None:
    """Write kobai's pure wheel to `path`."""
    info = f"kobai-{kobai.__version__}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: kobai\nVersion: {kobai.__version__}\nRequires-Dist: numpy>=2.0\n"
    files = [(name, file.read_bytes()) for name, file in sources()]
    files += [(f"{info}/METADATA", metadata.encode()),
              (f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: kobai\nRoot-Is-Purelib: true\nTag: py3-none-any\n")]
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files)
    files.append((f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode()))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), data, zipfile.ZIP_DEFLATED)


def sources() -> Iterator[tuple[str, Path]]:
    """(name in the wheel, file) of everything that goes in, in order of name."""
    for file in sorted(PACKAGE.rglob("*")):
        inside = file.relative_to(PACKAGE.parent)
        if file.is_file() and not set(LEFT_OUT).intersection(inside.parts):
            yield inside.as_posix(), file


def _digest(data: bytes) -> str:
    """A SHA-256 in the spelling of RECORD."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
