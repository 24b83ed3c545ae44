"""`python -m bench`: every benchmark, each in a process of its own; exit code 1 if any falls short."""

import subprocess
import sys
from pathlib import Path

# What the README quotes. Others in this folder (`make bench-NAME`) are for choosing, not for claims.
ALL = ("host", "overhead", "startup", "typing")


def main() -> int:
    names = [name for name in ALL if (Path(__file__).parent / f"{name}.py").exists()]
    codes = [subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode for name in names]
    missed = [name for name, code in zip(names, codes, strict=True) if code]
    print(f"bench: {len(names)} run, " + (f"short: {', '.join(missed)}" if missed else "all figures reached"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
