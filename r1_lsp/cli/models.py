"""`r1-lsp models`: what is installed, what can be, and which one is the default."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars
from rich.text import Text

from engine.errors import EngineError, ModelNotFound
from engine.models.catalogue import CATALOGUE, Entry
from engine.models.hub import HUGGING_FACE, Hub, Progress
from engine.models.memory import machine_bytes, need
from engine.models.pull import Plan, Wanted, fetch, from_entry, plan
from engine.models.resolve import is_path, near_names, store_in
from engine.models.store import Manifest, Store, add_file, usable_header
from r1_lsp.cli.console import Arguments, Failure, print_json, stdout

Report = Callable[[str, int, int], None]


def run(argv: list[str]) -> int:
    """Runs one of list, pull, use, rm, add, verify. Raises Failure with one sentence."""
    options = _parser().parse_args(argv)
    store = store_in()
    try:
        told = _ACTIONS[options.action](options, store)
    except ModelNotFound as exc:
        raise Failure(str(exc), code=2) from exc
    except EngineError as exc:
        raise Failure(str(exc)) from exc
    except OSError as exc:
        raise Failure(f"{exc.filename or store.root}: {exc.strerror or exc}") from exc
    if options.json and told is not None:
        print_json(told)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Arguments("models", "The models on this machine and those that can be installed.")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=argparse.ArgumentParser)
    parser.set_defaults(action="list")

    def action(name: str, about: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=about, description=about, add_help=True, prog=f"r1-lsp models {name}")
        sub.error = parser.error  # type: ignore[method-assign]
        sub.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="machine-readable output")
        return sub

    action("list", "what is installed and what the catalogue has")
    pull = action("pull", "download a model from a hub and install it")
    pull.add_argument("name", help="a catalogue name, or OWNER/REPOSITORY")
    pull.add_argument("--file", metavar="PATTERN", help='which files, e.g. "*Q8_0*" (default: the catalogue\'s choice)')
    pull.add_argument("--revision", default="main", help="branch, tag or commit (default main)")
    pull.add_argument("--hub", help=f"the hub's address (default HF_ENDPOINT, else {HUGGING_FACE})")
    pull.add_argument("--proxy", help="the proxy's address (default HTTPS_PROXY, else none)")
    action("use", "make an installed model the default").add_argument("name", help="an installed model, or a GGUF file")
    action("rm", "remove an installed model").add_argument("name")
    add = action("add", "install a GGUF file of your own; it stays where it is")
    add.add_argument("file", type=Path)
    add.add_argument("--name", help="how to call it (default: the file's name)")
    action("verify", "read installed models through and compare their sha256").add_argument("name", nargs="?")
    return parser


# list ------------------------------------------------------------------------------------------------------------


def _list(options: argparse.Namespace, store: Store) -> Any:
    installed, chosen = store.installed(), store.chosen()
    if options.json:
        return {
            "default": chosen,
            "installed": [_as_json(manifest, chosen) for manifest in installed],
            "catalogue": [
                {**entry.model_dump(), "about_gb": round(entry.about_gb, 1)}
                for entry in CATALOGUE.values()
                if store.get(entry.name) is None
            ],
        }
    console = stdout()
    if installed:
        _print_rows(console, _installed_rows(installed, chosen))
    else:
        console.print("no model is installed yet")
    console.print()
    _print_rows(console, _catalogue_rows([e for e in CATALOGUE.values() if e.name not in {m.id for m in installed}]))
    return None


def _as_json(manifest: Manifest, chosen: str) -> dict[str, Any]:
    return {**manifest.model_dump(), "size": manifest.size, "default": manifest.id == chosen}


def _installed_rows(manifests: tuple[Manifest, ...], chosen: str) -> list[tuple[str, ...]]:
    """A line of headings and one for each model; the last two entries are those that may be long."""
    rows: list[tuple[str, ...]] = [("", "installed", "weights", "size", "family", "licence", "from")]
    for manifest in manifests:
        mark = "default" if manifest.id == chosen else ""
        size = f"{manifest.size / 1e9:.2f} GB"
        row = (mark, manifest.id, manifest.weights, size, manifest.family, manifest.licence, manifest.source)
        rows.append(row)
    return rows


def _catalogue_rows(entries: list[Entry]) -> list[tuple[str, ...]]:
    machine = machine_bytes()
    rows: list[tuple[str, ...]] = [("to pull", "size", "for", "licence", "")]
    for entry in entries:
        role = {"both": "typing, fixes", "completion": "typing", "repair": "fixes"}[entry.role]
        fits = "" if not machine or entry.about_gb * 1e9 < machine * 7 / 8 else "too large for this machine; "
        rows.append((entry.name, f"about {entry.about_gb:.3g} GB", role, entry.licence, fits + entry.note))
    return rows


def _print_rows(console: Console, rows: list[tuple[str, ...]]) -> None:
    """In columns; where those are too wide for the terminal, the last two entries stand on a line of their own."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    n_beside = len(widths) if sum(widths) + 2 * len(widths) <= console.width or console.soft_wrap else len(widths) - 2
    for number, row in enumerate(rows):
        beside = (f"{entry:<{width}}" for entry, width in zip(row[:n_beside], widths, strict=False))
        console.print(Text("  ".join(beside).rstrip(), style="" if number else "dim"))
        if below := ", ".join(filter(None, row[n_beside:])) if number else "":
            console.print(Padding(Text(below, style="dim"), (0, 0, 0, 4)))


# pull ------------------------------------------------------------------------------------------------------------


def _pull(options: argparse.Namespace, store: Store) -> Any:
    hub = Hub(
        url=options.hub or os.environ.get("HF_ENDPOINT") or HUGGING_FACE,
        token=os.environ.get("HF_TOKEN") or None,
        proxy=options.proxy or os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or None,
    )
    found = plan(hub, _wanted(options, store))
    if found.warning:
        print(f"r1-lsp models: {found.warning}", file=sys.stderr)
    _say(options, f"{found.wanted.id}: {found.size / 1e9:.2f} GB from {_where(found)}")
    with _bars(options) as report:
        manifest = fetch(hub, found, store, lambda p: _passed_on(p, report))
    _say(options, f"installed {manifest.id}; `r1-lsp models use {manifest.id}` makes it the default")
    return _as_json(manifest, store.chosen())


def _passed_on(progress: Progress, report: Report) -> None:
    report(progress.name, progress.done, progress.total)


def _where(found: Plan) -> str:
    return f"{found.wanted.repository} at {found.listing.revision[:12]}"


def _wanted(options: argparse.Namespace, store: Store) -> Wanted:
    entry = CATALOGUE.get(options.name)
    if entry is not None:
        return from_entry(entry, pattern=options.file, revision=options.revision)
    if options.name.count("/") != 1 or options.name.endswith(".gguf"):
        raise Failure(_no_such(options.name, store, "`r1-lsp models list` shows what can be pulled"), code=2)
    model_id = options.name.partition("/")[2].removesuffix("-GGUF")
    return Wanted(
        id=model_id, repository=options.name, pattern=options.file or "*Q4_K_M*.gguf", revision=options.revision
    )


# use, rm, add, verify --------------------------------------------------------------------------------------------


def _use(options: argparse.Namespace, store: Store) -> Any:
    manifest = store.get(options.name)
    if manifest is not None:
        header = usable_header(store.paths(store.check(manifest))[0])
        name, size = manifest.id, manifest.size
    elif is_path(options.name) or Path(options.name).exists():
        path = Path(options.name).expanduser().resolve()
        header = usable_header(path)
        name, size = str(path), header.file_size
    elif options.name in CATALOGUE:
        sentence = f"{options.name} is not installed; `r1-lsp models pull {options.name}` installs it"
        raise Failure(sentence, code=2)
    else:
        raise Failure(_no_such(options.name, store, "`r1-lsp models list` shows what is installed"), code=2)
    estimate = need(header, 8192, size)
    if estimate.fits is False:
        print(
            f"r1-lsp models: it needs about {estimate.total / 1e9:.1f} GB of memory with a context of 8192 tokens, "
            f"and this machine has {estimate.machine / 1e9:.1f} GB",
            file=sys.stderr,
        )
    written = store.choose(name)
    _say(options, f"the default model is now {name} (written to {written}); servers started from now on use it")
    return {"default": name, "file": str(written), "memory": asdict(estimate)}


def _rm(options: argparse.Namespace, store: Store) -> Any:
    if store.get(options.name) is None:
        raise Failure(_no_such(options.name, store, "`r1-lsp models list` shows what is installed"), code=2)
    was_default = store.chosen() == options.name
    freed = store.remove(options.name)
    _say(options, f"removed {options.name} ({f'{freed / 1e9:.2f} GB freed' if freed else 'its file stays'})")
    if was_default:
        _say(options, "it was the default: `r1-lsp models use NAME` chooses another")
    return {"removed": options.name, "freed": freed}


def _add(options: argparse.Namespace, store: Store) -> Any:
    name = options.name or options.file.name.removesuffix(".gguf")
    if store.get(name) is not None:
        raise Failure(f"{name} is installed already; choose another --name or remove it first", code=2)
    usable_header(options.file)
    store.folder(name)
    with _bars(options) as report:
        manifest = add_file(store, options.file, name, partial(report, "reading"))
    _say(options, f"installed {name} ({manifest.family}, {manifest.weights}); the file stays where it is")
    return _as_json(manifest, store.chosen())


def _verify(options: argparse.Namespace, store: Store) -> Any:
    manifests = store.installed()
    if options.name:
        manifests = tuple(manifest for manifest in manifests if manifest.id == options.name)
        if not manifests:
            raise Failure(_no_such(options.name, store, "`r1-lsp models list` shows what is installed"), code=2)
    if not manifests:
        _say(options, "no model is installed")
    wrong: dict[str, str] = {}
    for manifest in manifests:
        try:
            with _bars(options) as report:
                store.check(manifest, thorough=True, progress=partial(report, manifest.id))
            _say(options, f"{manifest.id}: as it was installed")
        except EngineError as exc:
            wrong[manifest.id] = str(exc)
    if options.json:
        print_json({m.id: wrong.get(m.id, "") or "ok" for m in manifests})
    if wrong:
        raise Failure("; ".join(wrong.values()))
    return None


_ACTIONS: dict[str, Callable[[argparse.Namespace, Store], Any]] = {
    "list": _list,
    "pull": _pull,
    "use": _use,
    "rm": _rm,
    "add": _add,
    "verify": _verify,
}


def _no_such(name: str, store: Store, otherwise: str) -> str:
    near = near_names(name, store)
    hint = f"did you mean {' or '.join(near)}?" if near else otherwise
    return f"there is no model {name!r}; {hint}"


def _say(options: argparse.Namespace, sentence: str) -> None:
    if not options.json:
        stdout().print(sentence, markup=False)


@contextmanager
def _bars(options: argparse.Namespace) -> Iterator[Report]:
    """Progress bars on a terminal, silence elsewhere. Redrawn at most ten times a second."""
    console = Console(stderr=True)
    if options.json or not console.is_terminal:
        yield lambda name, done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        tasks: dict[str, Any] = {}
        drawn = 0.0

        def report(name: str, done: int, total: int) -> None:
            nonlocal drawn
            now = time.monotonic()
            if done < total and now - drawn < 0.1:
                return
            drawn = now
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done)

        yield report
