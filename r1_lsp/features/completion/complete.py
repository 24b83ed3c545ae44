"""From a cursor to suggestions, or to the reason for silence. No editor types in here."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import ast_tools
from ast_tools import Edit
from engine.errors import EngineError
from engine.types import Engine, GenerateRequest, Lane, ModelInfo, Sampling
from r1_lsp.features.completion import debounce
from r1_lsp.features.completion.ask import Ask, Outcome, Selected, Suggestion, silent
from r1_lsp.features.completion.cache import Entry, Offer, Recalled
from r1_lsp.features.completion.desk import CompletionDesk
from r1_lsp.features.completion.gather import gather, room_for
from r1_lsp.features.completion.judge import Draft, Judge, in_order
from r1_lsp.features.completion.render import Rendered, render
from r1_lsp.features.completion.spot import Spot
from r1_lsp.features.completion.stream import Flight, Spawn, stream
from r1_lsp.features.completion.trigger import why_not, why_not_here
from r1_lsp.features.why import Reason, Record
from r1_lsp.settings import CompletionSettings, Settings
from r1_lsp.snapshot import Snapshot

SINGLE_LINE_TOKENS = 48
TYPING_BUDGET_S, INVOKED_BUDGET_S = 2.0, 10.0
"""How long a generation may take from its first token on. A suggestion later than that disturbs more than it helps."""
OTHERS = Sampling(temperature=0.7, top_p=0.95, seed=1)
"""How the second and later candidates are sampled; the first is greedy."""

_SELECTED_BUDGET_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a completion works with. `engine` starts a model on its first call, which must wait until one is needed;
    `parsed` gives a snapshot its tree; `spawn` runs what may outlive a request.
    """

    settings: Settings
    engine: Callable[[], Engine]
    parsed: Callable[[Snapshot], Awaitable[Snapshot]]
    spawn: Spawn


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """A cursor in a document, how it was asked about, and with what."""

    snapshot: Snapshot
    offset: int
    ask: Ask
    means: Means

    @property
    def settings(self) -> CompletionSettings:
        return self.means.settings.completion

    @property
    def asked(self) -> int:
        """How many suggestions an explicit request wants; 0 while typing."""
        if not self.ask.invoked:
            return 0
        return 1 if self.ask.single else self.settings.candidates

    def of(self, snapshot: Snapshot) -> "_Question":
        """The question about this document as if the entry selected in the completion menu had been taken."""
        virtual, offset = with_selected(snapshot, self.offset, self.ask.selected)
        return replace(self, snapshot=virtual, offset=offset)


async def complete(desk: CompletionDesk, snapshot: Snapshot, offset: int, ask: Ask, means: Means) -> Outcome:
    """Suggestions for a cursor, or the reason for silence; remembered for `r1-lsp why`. Never raises EngineError.

    A suggestion that is being typed is answered without giving up control once.
    """
    began = time.monotonic()
    plain = _Question(snapshot=snapshot, offset=offset, ask=ask, means=means)
    question = plain.of(snapshot)
    outcome = _at_once(desk, question, undone=desk.history.undone(snapshot, offset))
    if outcome is None:
        outcome = await _joined(desk, question)
    if outcome is None:
        await asyncio.sleep(_delay_s(desk, question))
        try:
            outcome = await _asked(desk, plain.of(await means.parsed(snapshot)))
        except EngineError as exc:
            outcome = silent(Reason.ENGINE, str(exc))
    outcome = _in_selected_range(outcome, ask.selected)
    desk.history.shown(question.snapshot, question.offset, outcome.suggestions)
    desk.memory.add(_record(snapshot, offset, outcome, time.monotonic() - began))
    return outcome


def with_selected(snapshot: Snapshot, offset: int, selected: Selected | None) -> tuple[Snapshot, int]:
    """The document as if the entry selected in the completion menu had been taken already, and the cursor in it."""
    if selected is None:
        return snapshot, offset
    new = selected.text.encode("utf-8", "replace")
    lines = snapshot.lines.replaced(selected.start, selected.end, new)
    tree = snapshot.tree
    if tree is not None:
        edit = Edit(start=selected.start, end=selected.end, new=new)
        tree = ast_tools.reparse(tree, (edit,), _SELECTED_BUDGET_S)
    return replace(snapshot, lines=lines, tree=tree), selected.start + len(new)


def _at_once(desk: CompletionDesk, question: _Question, *, undone: bool) -> Outcome | None:
    """Everything that needs neither a tree nor the model: reasons for silence, and what is typed on."""
    ask = question.ask
    if (reason := why_not(question.snapshot, question.offset, ask, question.settings)) is not None:
        return silent(reason)
    if not ask.invoked:
        desk.typing.key(time.monotonic())
        if undone:
            return silent(Reason.UNDONE)
    return _recalled(desk, question, "cache")


async def _joined(desk: CompletionDesk, question: _Question) -> Outcome | None:
    """What a generation already at work says, when the user is typing what it says; else it is of no use any more."""
    flight = desk.flight(question.snapshot.uri)
    if flight is None or flight.over:
        return None
    since = None if question.ask.invoked else flight.spot.since(question.snapshot, question.offset)
    if since is None:
        flight.stop()
        return None
    return _recalled(desk, question, "joined") if await flight.landed(since) else None


async def _asked(desk: CompletionDesk, question: _Question) -> Outcome:
    """Asks the model."""
    reason = why_not_here(question.snapshot, question.offset, question.ask, question.settings)
    if reason is not None:
        return silent(reason)
    engine = question.means.engine()
    info = await engine.info()
    flight = Flight(Spot.of(question.snapshot, question.offset))
    desk.take_off(flight)
    flight.begin(_work(desk, flight, question, engine, info), question.means.spawn)
    await flight.landed()
    if flight.failure is not None:
        return silent(Reason.ENGINE, flight.failure)
    return _recalled(desk, question, "model") or silent(Reason.EMPTY)


async def _work(desk: CompletionDesk, flight: Flight, question: _Question, engine: Engine, info: ModelInfo) -> None:
    """The model's part, in the order of the flow: gather, render, stream and cut, judge; the result is cached."""
    snapshot, offset, settings = question.snapshot, question.offset, question.settings
    outline = await desk.outlines.of(snapshot.uri, snapshot.tree)
    gathered = gather(snapshot, offset, room_for(info, settings.max_tokens), outline, desk.frame)
    desk.frame = gathered.frame
    rendered = render(gathered, info)
    multiline = wants_lines(snapshot, offset, question.ask, settings)

    comments = question.ask.invoked or settings.in_comments

    def judge() -> Judge:
        return Judge(snapshot, offset, multiline=multiline, lead=rendered.lead, comments=comments)

    try:
        request = _request(rendered, desk.host_session(snapshot.uri), question, multiline=multiline)
        drafts = await stream(engine, request, judge, _listener(desk, flight))
        if question.asked > 1:
            others = replace(request, n=question.asked - 1, sampling=OTHERS)
            drafts += await stream(engine, others, judge, lambda _: None)
    except EngineError as exc:
        flight.failure = str(exc)
        return
    desk.cache.add(_entry(flight.spot, in_order(drafts), question))
    if snapshot.tree is not None and desk.outlines.is_old(snapshot.uri):
        question.means.spawn(desk.outlines.read(snapshot.uri, snapshot.tree), "outline")


def _listener(desk: CompletionDesk, flight: Flight) -> Callable[[Judge], None]:
    began = time.monotonic()

    def heard(judge: Judge) -> None:
        if not flight.said:
            desk.typing.answered(time.monotonic() - began)
        flight.heard(judge.said)

    return heard


def _request(rendered: Rendered, host_session: str, question: _Question, *, multiline: bool) -> GenerateRequest:
    longest = question.settings.max_tokens
    return GenerateRequest(
        prompt=rendered.prompt,
        max_tokens=longest if multiline else min(longest, SINGLE_LINE_TOKENS),
        lane=Lane.TYPING,
        session=host_session,
        time_budget_s=INVOKED_BUDGET_S if question.ask.invoked else TYPING_BUDGET_S,
        think_budget=0,
    )


def wants_lines(snapshot: Snapshot, offset: int, ask: Ask, settings: CompletionSettings) -> bool:
    """Whether the suggestion may have several lines: by setting, when asked explicitly, or where a block is due."""
    if settings.multiline != "auto":
        return settings.multiline == "always"
    return ask.invoked or ast_tools.wants_multiline(snapshot.tree, snapshot.text, offset, snapshot.language)


def _entry(spot: Spot, drafts: list[Draft], question: _Question) -> Entry:
    offers = tuple(
        Offer(text=draft.text.encode("utf-8", "replace"), covers=draft.covers)
        for draft in drafts
        if draft.reason is None
    )
    entry = Entry(spot=spot, offers=offers, settings=question.means.settings, asked=question.asked)
    return entry if offers else replace(entry, reason=drafts[0].reason or Reason.EMPTY, detail=drafts[0].detail)


def _recalled(desk: CompletionDesk, question: _Question, source: str) -> Outcome | None:
    found = desk.cache.look_up(question.snapshot, question.offset, question.means.settings, asked=question.asked)
    return None if found is None else _offered(desk, question, found, source)


def _offered(desk: CompletionDesk, question: _Question, found: Recalled, source: str) -> Outcome:
    snapshot, offset = question.snapshot, question.offset
    if not found.remaining:
        return Outcome(reason=found.entry.reason, source=source, detail=found.entry.detail)
    suggestions = []
    for left in found.remaining:
        text = left.new.decode("utf-8", "replace")
        if question.ask.invoked or not desk.history.was_dismissed(snapshot, offset, text):
            end = offset + left.replaced
            suggestions.append(Suggestion(id=desk.new_id(), start=offset, end=end, new=text, text=text))
    if not suggestions:
        return Outcome(reason=Reason.DISMISSED, source=source)
    return Outcome(reason=Reason.SHOWN, suggestions=tuple(suggestions), source=source)


def _in_selected_range(outcome: Outcome, selected: Selected | None) -> Outcome:
    """Suggestions in terms of the real document: they start with the selected entry's text and have its range."""
    if selected is None or not outcome.suggestions:
        return outcome
    fitting = tuple(
        replace(one, start=selected.start, end=selected.end, new=selected.text + one.text)
        for one in outcome.suggestions
        if one.start == one.end
    )
    return replace(outcome, suggestions=fitting) if fitting else silent(Reason.SELECTED)


def _delay_s(desk: CompletionDesk, question: _Question) -> float:
    lines, offset = question.snapshot.lines, question.offset
    line = lines.line_at(offset)
    before = lines.text[lines.start(line) : offset].decode("utf-8", "replace")
    after = lines.text[offset : lines.end(line)].decode("utf-8", "replace")
    return debounce.delay_s(
        desk.typing,
        debounce.promise(before, after),
        invoked=question.ask.invoked,
        fixed_ms=question.settings.debounce_ms,
        waited_s=question.ask.waited_s,
    )


def _record(snapshot: Snapshot, offset: int, outcome: Outcome, took_s: float) -> Record:
    line, column = snapshot.lines.position(offset)
    return Record(
        when=time.time(),
        path=snapshot.path or snapshot.uri,
        line=line + 1,
        column=column + 1,
        reason=outcome.reason,
        source=outcome.source,
        detail=outcome.detail,
        took_ms=round(took_s * 1000, 1),
    )
