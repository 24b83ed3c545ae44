"""`r1-lsp demo`: the main job on real files of the standard library, in a real LSP session over stdio, with timings."""

import asyncio
import re
import sysconfig
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ast_tools.lines import Lines
from r1_lsp.cli.console import Arguments, Failure, print_json, stdout
from r1_lsp.cli.diff import diff_of, print_diff
from r1_lsp.cli.session import Editor, OpenFile, session

STDLIB = Path(sysconfig.get_path("stdlib"))

# Where the demo types: a file, a line of it, and how much of that line is already written.
PLACES = (
    ("textwrap.py", "self.initial_indent = initial_indent", "self."),
    ("fractions.py", "denominator = int(denom)", "denominator = "),
    ("shlex.py", "if self.debug >= 2:", "if self."),
    ("colorsys.py", "minc = min(r, g, b)", "minc = "),
)
# What the demo breaks: one character each, the kind of slip one makes while typing.
SLIPS = (
    ("textwrap.py", "chunks = [c for c in chunks if c]", "chunks = [c for c in chunks if c"),
    ("shlex.py", "nextchar = self.instream.read(1)", "nextchar = self.instream.read(1"),
    ("colorsys.py", "if l <= 0.5:", "if l <= 0.5"),
)
UNDOCUMENTED = ("colorsys.py", "def rgb_to_hsv(r, g, b):")


@dataclass
class Timings:
    """Milliseconds by what was done, in order."""

    rows: list[tuple[str, float]] = field(default_factory=list)

    def add(self, what: str, started: float) -> float:
        elapsed = (time.perf_counter() - started) * 1000
        self.rows.append((what, elapsed))
        return elapsed


def run(argv: list[str]) -> int:
    """Runs the demo; exit code 1 when a step did not do its job."""
    parser = Arguments("demo", "The main job on real files, in a real LSP session over stdio, with timings.")
    parser.add_argument("--model", help="a catalogue name, an installed model or a .gguf file")
    options = parser.parse_args(argv)
    console = Console(quiet=True) if options.json else stdout()
    return asyncio.run(_demo(console, model=options.model, as_json=options.json))


async def _demo(console: Console, *, model: str | None, as_json: bool) -> int:
    timings = Timings()
    arguments = ("--model", model) if model else ()
    settings = {"completion": {"candidates": 1}}
    with console.status("starting the Language Server") as spinner:
        started = time.perf_counter()

        def show(sentence: str, fraction: float | None) -> None:
            spinner.update(sentence if fraction is None else f"{sentence} {fraction:.0%}")

        async with session(STDLIB, settings=settings, arguments=arguments, on_status=show) as editor:
            timings.rows.append(("server: start to `initialize` answered", editor.initialize_s * 1000))
            status = await editor.ready()
            timings.add("model: start to ready", started)
            spinner.stop()
            _introduce(console, status)
            await _complete(console, editor, timings)
            await _repair(console, editor, timings)
            await _document(console, editor, timings)
    _conclude(console, timings)
    if as_json:
        print_json({"model": status.get("model"), "timings_ms": dict(timings.rows)})
    return 0


def _introduce(console: Console, status: dict[str, object]) -> None:
    model = status.get("model")
    name = model.get("id") if isinstance(model, dict) else getattr(model, "id", model)
    console.rule("[bold]r1-lsp demo")
    console.print(
        f"Model: [bold]{name}[/bold]. It is small (135 million parameters) and runs on this machine alone;\n"
        "it shows the path, not what R1 can do. `r1-lsp models` lists better ones.\n"
    )


# 1. completion ---------------------------------------------------------------------------------------------------


async def _complete(console: Console, editor: Editor, timings: Timings) -> None:
    console.rule("1. inline completion", align="left")
    for name, line, typed in PLACES:
        path = STDLIB / name
        whole = _read(path)
        if (span := _find(whole, line)) is None:  # another version of Python: its file reads differently
            continue
        offset = span[0] + len(typed)
        text = whole[:offset] + whole[span[1] :]
        file = editor.open(path, text)
        started = time.perf_counter()
        items = await file.complete(offset)
        elapsed = timings.add(f"completion in {name}", started)
        shown = items[0].insert_text if items else ""
        ghost = shown if isinstance(shown, str) else shown.value
        _show_ghost(console, f"{name}  ({elapsed:.0f} ms)", text, offset, ghost)
        reason = "" if ghost else f"    nothing was shown: {await editor.last_reason()}\n"
        console.print(Text(f"{reason}    the author wrote: {line}\n", style="dim"))
        if ghost:
            await _type_along(file, offset, ghost, timings)


async def _type_along(file: OpenFile, offset: int, ghost: str, timings: Timings) -> None:
    """Types the suggestion's first character: the rest must come from the cache at once."""
    first = ghost[0].encode("utf-8")
    file.replace([(offset, offset, first)])
    started = time.perf_counter()
    await file.complete(offset + len(first))
    timings.add("  one more character typed as suggested", started)


def _find(text: bytes, line: str) -> tuple[int, int] | None:
    """Where the first line with this content stands, without its indentation."""
    match = re.search(rb"^[ \t]*(" + re.escape(line.encode()) + rb")$", text, re.MULTILINE)
    return match.span(1) if match else None


def _show_ghost(console: Console, title: str, text: bytes, offset: int, ghost: str) -> None:
    lines = Lines(text)
    here = lines.line_at(offset)
    view = Text()
    for number in range(max(0, here - 3), min(lines.count, here + 3)):
        view.append(f"{number + 1:5} ", "dim")
        if number == here:
            view.append(text[lines.start(number) : offset].decode("utf-8", "replace"))
            view.append(ghost or "(nothing)", "bold magenta" if ghost else "red")
            view.append(text[offset : lines.end(number)].decode("utf-8", "replace"))
        else:
            view.append(lines.line(number).decode("utf-8", "replace"))
        view.append("\n")
    console.print(f"[bold]{title}")
    console.print(view, end="")


# 2. repair -------------------------------------------------------------------------------------------------------


async def _repair(console: Console, editor: Editor, timings: Timings) -> None:
    console.rule("2. a broken file repaired", align="left")
    for name, line, slip in SLIPS:
        path = STDLIB / name
        whole = _read(path)
        if (span := _find(whole, line)) is None:
            continue
        broken = whole[: span[0]] + slip.encode() + whole[span[1] :]
        file = editor.open(Path("demo") / f"broken_{name}", broken)
        started = time.perf_counter()
        diagnostics = await editor.diagnostics(file.uri)
        if not diagnostics:
            raise Failure(f"the slip in {name} was not reported")
        where = diagnostics[0].range.start
        offset = Lines(broken).offset(where.line, where.character)
        actions = await file.actions(offset, offset, diagnostics)
        preferred = next((action for action in actions if action.is_preferred), None)
        if preferred is None:
            raise Failure(f"no sure repair was offered for the slip in {name}")
        await file.apply(preferred)
        elapsed = timings.add(f"repair of {name}, opened to mended", started)
        message = diagnostics[0].message
        console.print(Text(f"{name}: {message if isinstance(message, str) else message.value}", "bold"))
        console.print(Text(f"  quick fix: {preferred.title}  ({elapsed:.0f} ms)"))
        print_diff(console, diff_of(Path(name), broken, file.text, 1))
        same = file.text == whole
        console.print(
            Text(
                "  as the author wrote it\n" if same else "  parses, differs from the author's\n",
                "green" if same else "yellow",
            )
        )


# 3. docstring ----------------------------------------------------------------------------------------------------


async def _document(console: Console, editor: Editor, timings: Timings) -> None:
    console.rule("3. a docstring written", align="left")
    name, header = UNDOCUMENTED
    path = STDLIB / name
    text = _read(path)
    file = editor.open(Path("demo") / f"undocumented_{name}", text)
    offset = text.index(header.encode()) + len("def ")
    started = time.perf_counter()
    actions = await file.actions(offset, offset, [])
    wanted = [action for action in actions if "docstring" in action.title.lower()]
    if not wanted:
        raise Failure(f"no docstring was offered for `{header}`")
    await file.apply(wanted[0])
    elapsed = timings.add("docstring, asked to inserted", started)
    console.print(Text(f"{name}: {wanted[0].title}  ({elapsed:.0f} ms)", "bold"))
    print_diff(console, diff_of(Path(name), text, file.text, 1))


def _conclude(console: Console, timings: Timings) -> None:
    table = Table("what", "ms", title="timings", title_justify="left")
    for what, elapsed in timings.rows:
        table.add_row(what, f"{elapsed:.1f}" if elapsed < 10 else f"{elapsed:.0f}")
    console.print()
    console.print(table)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"the demo reads Python's own {path.name}: {error.strerror}") from None
