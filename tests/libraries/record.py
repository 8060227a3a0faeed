"""Write printed/NAME.txt: what each program prints with PyTorch. Needs PyTorch and the libraries.

    python tests/libraries/record.py [NAME ...]
"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def main(names):
    for program in sorted((HERE / "programs").glob("*.py")):
        if names and program.stem not in names:
            continue
        done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True)
        (HERE / "printed" / f"{program.stem}.txt").write_text(done.stdout, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
