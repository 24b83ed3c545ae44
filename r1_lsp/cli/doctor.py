"""`r1-lsp doctor`: what is wrong, in words one can act on."""

import asyncio
import importlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata

from rich.text import Text

from engine.errors import EngineError
from engine.platform import data_dir, runtime_dir
from engine.types import EngineOptions, GenerateRequest, Lane, TextPrompt
from r1_lsp.cli.console import Arguments, print_json, stdout

ANSWER_TIMEOUT_S = 120.0
LOW_DISK_BYTES = 2**30
GRAMMARS = ("tree_sitter_python", "tree_sitter_javascript", "tree_sitter_typescript")
PINNED = {"pygls": "2.1.1", "tree-sitter": "0.25.2", "llama-cpp-python": "0.3.36"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. `advice` says what to do where `ok` is False."""

    what: str
    ok: bool
    detail: str
    advice: str = ""


def run(argv: list[str]) -> int:
    """Looks at everything a working session needs; exit code 1 when something is wrong."""
    parser = Arguments(
        "doctor", "What is wrong, in words one can act on. Starts the model and asks it for a few words."
    )
    parser.add_argument("--model", default="default", help="a catalogue name, an installed model or a .gguf file")
    parser.add_argument("--url", help="an OpenAI-compatible server instead of a model of this machine")
    options = parser.parse_args(argv)
    console = stdout()
    findings = []
    for finding in _examine(EngineOptions(model=options.model, url=options.url)):
        findings.append(finding)
        if not options.json:
            mark = ("ok     ", "green") if finding.ok else ("WRONG  ", "bold red")
            console.print(Text.assemble(mark, (finding.what, "bold"), ": ", finding.detail))
            if finding.advice:
                console.print(Text(f"       -> {finding.advice}"))
    if options.json:
        print_json([asdict(finding) for finding in findings])
    return 0 if all(finding.ok for finding in findings) else 1


def _examine(options: EngineOptions) -> Iterator[Finding]:
    looks: tuple[Callable[[EngineOptions], Finding], ...] = (_python, _packages, _grammars, _folders, _model, _engine)
    for look in looks:
        yield look(options)


def _python(_options: EngineOptions) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    isolated = bool(sys.flags.isolated)
    return Finding(
        what="Python",
        ok=isolated,
        detail=f"{version}, {os.cpu_count()} cores" + ("" if isolated else ", not isolated"),
        advice="" if isolated else "start it as `r1-lsp` or `python -I -m r1_lsp`",
    )


def _packages(_options: EngineOptions) -> Finding:
    wrong = []
    for name, wanted in PINNED.items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "missing"
        if found != wanted:
            wrong.append(f"{name} {found} instead of {wanted}")
    detail = "; ".join(wrong) or ", ".join(f"{name} {version}" for name, version in PINNED.items())
    return Finding(
        what="packages", ok=not wrong, detail=detail, advice="install again with `make setup`" if wrong else ""
    )


def _grammars(_options: EngineOptions) -> Finding:
    missing = [name for name in GRAMMARS if not _imports(name)]
    return Finding(
        what="grammars",
        ok=not missing,
        detail=f"missing: {', '.join(missing)}" if missing else "Python, JavaScript, TypeScript",
        advice="those languages get completion without syntax; `make setup` installs them" if missing else "",
    )


def _imports(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _folders(_options: EngineOptions) -> Finding:
    try:
        runtime, data = runtime_dir(), data_dir()
        free = shutil.disk_usage(data if data.exists() else data.parent).free
    except (OSError, EngineError) as error:
        return Finding(what="folders", ok=False, detail=str(error), advice="the folder must be yours alone (mode 0700)")
    low = free < LOW_DISK_BYTES
    return Finding(
        what="folders",
        ok=not low,
        detail=f"models in {data}, sockets in {runtime}, {free / 2**30:.1f} GiB free",
        advice="free some disk space: models are large" if low else "",
    )


def _model(options: EngineOptions) -> Finding:
    if options.url:
        return Finding(what="model", ok=True, detail=f"whatever {options.url} serves")
    from engine.models.memory import need
    from engine.models.resolve import resolve

    try:
        model = resolve(options)
    except EngineError as error:
        return Finding(what="model", ok=False, detail=str(error), advice="`r1-lsp models list` shows what there is")
    memory = need(model.header, options.n_ctx or min(model.n_ctx_train, 4096), model.size)
    detail = (
        f"{model.id} ({model.family}), {model.size / 1e9:.2f} GB, needs about {memory.total / 1e9:.1f} GB of memory"
    )
    too_big = memory.fits is False
    return Finding(
        what="model",
        ok=not too_big,
        detail=detail,
        advice="it does not fit in this machine's memory; take a smaller one or a stronger quantisation"
        if too_big
        else "",
    )


def _engine(options: EngineOptions) -> Finding:
    started = time.perf_counter()
    try:
        detail = asyncio.run(asyncio.wait_for(_answer(options), ANSWER_TIMEOUT_S))
    except EngineError as error:
        return Finding(
            what="engine",
            ok=False,
            detail=str(error),
            advice="see that the address is right and its server runs"
            if options.url
            else "`r1-engine status` and the lines above say more",
        )
    except TimeoutError:
        return Finding(
            what="engine", ok=False, detail=f"no answer within {ANSWER_TIMEOUT_S:.0f} s", advice="try a smaller model"
        )
    return Finding(
        what="engine", ok=True, detail=f"{detail}; answered {time.perf_counter() - started:.1f} s after asking"
    )


async def _answer(options: EngineOptions) -> str:
    from engine.client import create_engine

    engine = create_engine(options)
    engine.start()
    try:
        info = await engine.info()
        request = GenerateRequest(prompt=TextPrompt(text="def add(a, b):\n    return"), max_tokens=4, lane=Lane.ACTION)
        async for _chunk in engine.generate(request):
            pass
    finally:
        await engine.close()
    speeds = (
        f"reads {info.prefill_tps:.0f} and writes {info.decode_tps:.0f} tokens/s"
        if info.prefill_tps
        else "speed unknown"
    )
    talents = ", ".join(name for name, has in (("infills", info.can_infill), ("thinks", info.reasons)) if has)
    return f"{info.id} {speeds}, context {info.n_ctx}" + (f", {talents}" if talents else "")
