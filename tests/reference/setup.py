"""Sets up what `make test-reference` compares with; the second run finds it and returns at once.

Into build/reference: an environment of its own with transformers (hash-locked) and torch, and llama.cpp's converter
from llama-cpp-python's source, the one that our own llama.cpp is built from. torch is pinned by version and not by
hash, because pip takes the build that the user's index offers: 0.2 GB where it has a build for the CPU, about 3 GB with
its CUDA libraries otherwise; any of them will do.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from scripts.setup import SetupError, llama_source

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "build" / "reference"
PYTHON = HOME / "venv" / "bin" / "python"
LLAMA_CPP = HOME / "llama.cpp"
LOCK = ROOT / "requirements" / "reference.txt"

TORCH = "torch==2.13.0"
CONVERTER = ("convert_hf_to_gguf.py", "convert_lora_to_gguf.py", "conversion/", "gguf-py/", "LICENSE")
"""What is taken from llama.cpp."""


def main() -> int:
    started = time.monotonic()
    stamp = HOME / "stamp"
    try:
        source = llama_source()
        key = fingerprint(source)
        if not stamp.exists() or stamp.read_text("utf-8") != key:
            shutil.rmtree(HOME, ignore_errors=True)
            install()
            unpack(source)
            stamp.write_text(key, "utf-8")
            say(f"set up in {time.monotonic() - started:.0f} s")
    except SetupError as problem:
        print(f"setup: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: stopped; run it again to go on", file=sys.stderr)
        return 130
    return 0


def fingerprint(source: Path) -> str:
    """Changes when anything the environment is made from changes."""
    digest = hashlib.sha256(f"{sys.version}|{ROOT}|{TORCH}|{CONVERTER}|{source.name}".encode())
    digest.update(LOCK.read_bytes())
    return digest.hexdigest()


def install() -> None:
    HOME.mkdir(parents=True)
    run(sys.executable, "-m", "venv", str(PYTHON.parents[1]))
    say("installing transformers (hashes checked) and torch")
    pip = (str(PYTHON), "-I", "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--require-hashes", "--no-deps", "--requirement", str(LOCK))  # some of them would bring another torch
    run(*pip, TORCH)


def unpack(source: Path) -> None:
    """Takes the converter out of the source archive, whose hash was checked."""
    with tarfile.open(source) as archive:
        for member in archive:
            inner = member.name.partition("/vendor/llama.cpp/")[2]
            if member.isfile() and inner.startswith(CONVERTER):
                content = archive.extractfile(member)
                assert content is not None
                (LLAMA_CPP / inner).parent.mkdir(parents=True, exist_ok=True)
                (LLAMA_CPP / inner).write_bytes(content.read())
    if not (LLAMA_CPP / CONVERTER[0]).exists():
        raise SetupError(f"{source.name} has no converter of llama.cpp in it")


def run(*command: str) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise SetupError(f"`{' '.join(command[:6])} ...` failed with exit code {done.returncode}")


def say(sentence: str) -> None:
    print(f"setup: {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
