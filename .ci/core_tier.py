"""Fail when an entry of the conformance suite's core tier does not pass: core_tier.py REPLAY.json."""

import json
import sys
from pathlib import Path


def main(path: str) -> int:
    """Name the core entries that do not pass; the exit status says whether there are any."""
    entries = json.loads(Path(path).read_text())["entries"]
    core = [e for e in entries if e["core"]]
    bad = [e for e in core if e["status"] != "pass"]
    print("\ncore tier")
    for entry in bad:
        print(f"  {entry['name']:<44} {entry['status']:<11} {entry['why']}")
    print(f"{len(core) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad or not core else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
