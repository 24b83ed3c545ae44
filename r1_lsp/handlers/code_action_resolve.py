"""codeAction/resolve: here the model is asked, with a progress bar; the answer is an edit or one sentence."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from ast_tools import Edit, apply
from engine.errors import EngineError
from r1_lsp.features.actions import Related, Report, Task, action_named
from r1_lsp.features.errors import Refused
from r1_lsp.handlers.code_action import workspace_edit
from r1_lsp.proto import path_of
from r1_lsp.session import Failed, Session
from r1_lsp.snapshot import Snapshot
from r1_lsp.wire.outcomes import Modified

_CHANGED = "The file has changed since, so the change was not made."

Compute = Callable[[Task], Awaitable[tuple[Edit, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user asked for: `compute` at the bytes [start, end), shown as `title` while it runs."""

    title: str
    compute: Compute
    start: int
    end: int
    report: Report | None = None
    choices: tuple[tuple[Edit, ...], ...] = ()
    sentence: str = ""


async def code_action_resolve(session: Session, params: types.CodeAction) -> types.CodeAction:
    """The action with its edit. Raises Failed with one sentence, Modified when the file is another by now."""
    kept = params.data if isinstance(params.data, dict) else {}
    action = action_named(kept.get("r1"))
    if action is None or action.compute is None or params.edit is not None:
        return params
    snapshot = session.snapshot(str(kept.get("uri")))
    if snapshot is None or snapshot.version != kept.get("version"):
        raise Modified(_CHANGED)
    start, report = _offset(kept.get("start"), snapshot), _report(kept.get("report"), snapshot)
    choices = _choices(kept.get("choices"), snapshot)
    wish = Wish(title=params.title, compute=action.compute, start=start, end=start, report=report, choices=choices)
    edits = await computed(session, snapshot, wish)
    params.edit = workspace_edit(session, snapshot, edits)
    return params


async def computed(session: Session, snapshot: Snapshot, wish: Wish) -> tuple[Edit, ...]:
    """Runs one piece of model work with everything around it: progress, cancel, superseding, a file that changes.

    Raises Failed with one sentence.
    """
    async with session.newest(("change", snapshot.uri)):
        snapshot = await session.parsed(snapshot)
        async with session.progress(wish.title, cancellable=True) as bar:
            task = Task(
                snapshot=snapshot,
                start=wish.start,
                end=wish.end,
                report=wish.report,
                choices=wish.choices,
                sentence=wish.sentence,
                settings=session.settings,
                engine=session.engine,
                root=root_of(session, snapshot),
                heard=bar.report,
            )
            edits = await session.slot(_AtWork).run(session, snapshot, wish.compute(task))
    if not _is_current(session, snapshot):
        raise Modified(_CHANGED)
    return edits


def root_of(session: Session, snapshot: Snapshot) -> str | None:
    """The workspace folder a document lies in; checkers run there."""
    folders = [folder for uri in session.folders if (folder := path_of(uri)) is not None]
    inside = [folder for folder in folders if snapshot.path and snapshot.path.startswith(folder.rstrip("/") + "/")]
    return max(inside, key=len, default=None)


class _AtWork:
    """Work on documents that ends when its document changes or is closed."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Future[Any], Snapshot] = {}
        self._listening = False

    async def run(self, session: Session, snapshot: Snapshot, work: Awaitable[tuple[Edit, ...]]) -> tuple[Edit, ...]:
        if not self._listening:
            self._listening = True
            session.on_document_changed.append(self._changed)
            session.on_document_closed.append(self._changed)
        future = asyncio.ensure_future(work)
        self._running[future] = snapshot
        try:
            return await future
        except asyncio.CancelledError:
            if future.cancelled() and not _is_current(session, snapshot):
                raise Modified(_CHANGED) from None
            raise
        except Refused as refused:
            raise Failed(str(refused)) from refused
        except EngineError as error:
            raise Failed(_sentence(str(error))) from error
        finally:
            del self._running[future]

    async def _changed(self, session: Session, uri: str) -> None:
        for future, snapshot in tuple(self._running.items()):
            if snapshot.uri == uri and not _is_current(session, snapshot):
                future.cancel()


def _is_current(session: Session, snapshot: Snapshot) -> bool:
    now = session.snapshot(snapshot.uri)
    return now is not None and now.version == snapshot.version and now.text == snapshot.text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else "The model failed."


def _offset(value: object, snapshot: Snapshot) -> int:
    return min(max(value, 0), len(snapshot.text)) if isinstance(value, int) else 0


def _report(kept: Any, snapshot: Snapshot) -> Report | None:
    if not isinstance(kept, dict):
        return None
    start = _offset(kept.get("start"), snapshot)
    related = kept.get("related")
    return Report(
        start=start,
        end=max(start, _offset(kept.get("end"), snapshot)),
        message=str(kept.get("message", "")),
        code=str(kept.get("code", "")),
        source=str(kept.get("source", "")),
        unnecessary=kept.get("unnecessary") is True,
        related=tuple(_related(told) for told in related) if isinstance(related, list) else (),
    )


def _choices(kept: Any, snapshot: Snapshot) -> tuple[tuple[Edit, ...], ...]:
    """What was offered, or nothing where something else came back."""
    try:
        choices = tuple(tuple(_edit(told, snapshot) for told in edits) for edits in kept or ())
        for edits in choices:
            apply(snapshot.text, edits)
    except (TypeError, ValueError):
        return ()
    return choices if all(choices) else ()


def _edit(told: Any, snapshot: Snapshot) -> Edit:
    match told:
        case [int(start), int(end), str(new)]:
            return Edit(start, end, new.encode("utf-8", "surrogatepass"))
    raise TypeError


def _related(told: Any) -> Related:
    match told:
        case [str(message), int(line)]:
            return Related(message=message, line=line)
        case [str(message), *_]:
            return Related(message=message)
    return Related(message="")
