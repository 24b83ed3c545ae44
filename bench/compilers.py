"""What a C compiler says of a text. It only reads it: nothing is ever linked or run."""

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from engine.platform import cache_dir

TIMEOUT_S = 20
GCC = ("gcc", "-x", "c", "-fsyntax-only", "-w", "-fmax-errors=3", "-fdiagnostics-color=never", "-")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a text compiles, and the compiler's first errors if not."""

    compiles: bool
    errors: str


class Compiler:
    """gcc over texts in memory; verdicts are kept in the cache, because the same texts are asked again in every run."""

    def __init__(self) -> None:
        self._path = cache_dir() / "corpora" / f"gcc-{_version()}.json"
        self._known: dict[str, list[str | bool]] = _read(self._path)

    def verdicts(self, texts: list[bytes], processes: int = 2) -> list[Verdict]:
        """One for each text, in order."""
        new = [text for text in dict.fromkeys(texts) if _key(text) not in self._known]
        with ThreadPoolExecutor(processes) as pool:
            for text, verdict in zip(new, pool.map(_ask, new), strict=True):
                self._known[_key(text)] = [verdict.compiles, verdict.errors]
        if new:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(self._known), "utf-8")
            temporary.replace(self._path)
        found = (self._known[_key(text)] for text in texts)
        return [Verdict(bool(compiles), str(errors)) for compiles, errors in found]


def _read(path: Path) -> dict[str, list[str | bool]]:
    try:
        known: dict[str, list[str | bool]] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known


def _key(text: bytes) -> str:
    return sha256(text).hexdigest()


def available() -> bool:
    """Whether there is a gcc."""
    return shutil.which(GCC[0]) is not None


@cache
def _version() -> str:
    return subprocess.run([GCC[0], "-dumpfullversion"], check=True, capture_output=True, text=True).stdout.strip()


def _ask(text: bytes) -> Verdict:
    env = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(GCC, input=text, capture_output=True, check=False, timeout=TIMEOUT_S, env=env)
    except subprocess.TimeoutExpired:
        return Verdict(compiles=False, errors=f"not done in {TIMEOUT_S} s")
    said = done.stderr.decode("utf-8", "replace").splitlines()
    return Verdict(done.returncode == 0, "\n".join(line for line in said if "error:" in line))
