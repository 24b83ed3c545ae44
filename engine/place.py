"""Which files a host of given options has, what it is started with, and how to reach it."""

import hashlib
import json
import stat
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from engine.errors import BadRequest
from engine.types import EngineOptions

_NOT_FOR_HOSTS = ("url", "api_key", "remote_model")


@cache
def package_version() -> str:
    """The version of this distribution, or "0" when it runs from a bare source tree."""
    from importlib.metadata import PackageNotFoundError, version  # slow, and not needed before `initialize`

    try:
        return version("r1-lsp")
    except PackageNotFoundError:
        return "0"


def settled(options: EngineOptions) -> EngineOptions:
    """The options a host is started with: absolute paths, and nothing of remote servers (so no key in `ps`)."""
    model, script = options.model, options.script
    if model.endswith(".gguf") or "/" in model or "\\" in model:
        model = str(Path(model).expanduser().absolute())
    if script is not None:
        script = str(Path(script).expanduser().absolute())
    adapter = options.adapter
    if adapter is not None:
        adapter = str(Path(adapter).expanduser().absolute())
    return replace(options, model=model, script=script, adapter=adapter, url=None, api_key=None, remote_model=None)


def named(options: EngineOptions) -> EngineOptions:
    """The options as they name a shared host: "default" replaced by what it means now. Reads a file."""
    if options.script is not None:
        return settled(options)
    from engine.models.resolve import expanded  # brings pydantic along, which nobody may wait for before `initialize`

    return settled(expanded(options))


def options_to_json(options: EngineOptions) -> str:
    record = {key: value for key, value in asdict(settled(options)).items() if key not in _NOT_FOR_HOSTS}
    return json.dumps(record, sort_keys=True)


def options_from_json(text: str) -> EngineOptions:
    """Reads what `options_to_json` wrote. Raises BadRequest with one sentence."""
    try:
        record: dict[str, Any] = json.loads(text)
        return EngineOptions(**record)
    except (ValueError, TypeError) as exc:
        raise BadRequest(f"the host's options are not valid: {exc}") from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFiles:
    """The files of one host, side by side in the runtime directory."""

    socket: Path
    lock: Path
    log: Path

    def leftovers(self) -> tuple[Path, ...]:
        """What a dead host may leave besides its lock."""
        return self.socket, self.log, self.socket.with_suffix(".tmp")


def files_at(socket: Path) -> HostFiles:
    return HostFiles(socket=socket, lock=socket.with_suffix(".lock"), log=socket.with_suffix(".log"))


def host_files(directory: Path, options: EngineOptions) -> HostFiles:
    """The files of the host for these options, of this version and installation, shared by all of a user's servers."""
    name = "\n".join((package_version(), str(Path(__file__).parent), options_to_json(options)))
    return files_at(directory / f"host-{hashlib.sha256(name.encode()).hexdigest()[:16]}.sock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """How to reach a host: through the socket file `unix`, or at `url` with a `token`."""

    url: str
    unix: Path | None = None
    token: str | None = field(default=None, repr=False)


def address_at(path: Path) -> Address | None:
    """The address that stands at `path`, or None when nothing (or nothing of ours) is there."""
    try:
        found = path.lstat()
        if stat.S_ISSOCK(found.st_mode):
            return Address(url="http://r1-engine", unix=path)
        if not stat.S_ISREG(found.st_mode):
            return None
        record = json.loads(path.read_text(encoding="ascii"))
        return Address(url=f"http://127.0.0.1:{int(record['port'])}", token=str(record["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
