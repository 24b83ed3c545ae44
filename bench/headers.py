"""Makes the table of the names that C's standard headers declare, as this machine's gcc and C library have them.

python -m bench.headers [--into FILE]
"""

import argparse
import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import ast_tools
from ast_tools.languages.record import words

INTO = Path(ast_tools.__file__).parent / "data" / "c_headers.json.gz"
HEADERS = words(
    "assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h locale.h math.h setjmp.h signal.h",
    "stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h strings.h",
    "tgmath.h threads.h time.h uchar.h wchar.h wctype.h unistd.h sys/types.h sys/time.h malloc.h",
)
ABOUT = "Names that headers of the C standard and some of POSIX declare; made by bench/headers.py with gcc and glibc."
_WORD = re.compile(r"[A-Za-z_]\w*")


def declared(header: str) -> list[str]:
    """All words of a header after preprocessing, and its macros; those that C keeps for itself are left out."""
    source = f"#include <{header}>\n" if header else "\n"
    command = ("gcc", "-E", "-dD", "-P", "-x", "c", "-")
    text = subprocess.run(command, input=source, check=True, capture_output=True, text=True).stdout
    return sorted({word for word in _WORD.findall(text) if not word.startswith("__")})


def main(arguments: list[str]) -> int:
    """Writes the table; the same machine gives the same bytes."""
    parser = argparse.ArgumentParser(prog="bench.headers", description="Names of C's standard headers.")
    parser.add_argument("--into", type=Path, default=INTO)
    into = parser.parse_args(arguments).into
    always = set(declared("")) | {"NULL", "true", "false", "nullptr", "__func__", "__FILE__", "__LINE__"}
    found = {header: sorted(set(declared(header)) - always) for header in sorted(HEADERS)}
    stored = json.dumps({"about": ABOUT, "headers": {"": sorted(always), **found}}, separators=(",", ":"))
    into.write_bytes(gzip.compress(stored.encode(), mtime=0))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
