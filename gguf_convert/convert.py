"""A conversion from its plan to its finished files: resumable, by several processes, the same bytes however it goes."""

import contextlib
import hashlib
import math
import threading
import time
import zlib
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from gguf_convert import ggml
from gguf_convert.budget import Budget
from gguf_convert.costs import usual_seconds
from gguf_convert.crew import Crew
from gguf_convert.errors import ConversionError, SourceError, TargetError, WeightsTooLarge
from gguf_convert.imatrix import Importance, sha256_of
from gguf_convert.jobs import Answer, Hashed, HashSource, HashTensor, Job, Made, Material, Setup
from gguf_convert.journal import SUFFIX as JOURNAL
from gguf_convert.journal import Done, Finished, Journal, locked
from gguf_convert.manifest import SUFFIX as MANIFEST
from gguf_convert.manifest import Manifest, Source, TensorRecord, Versions, read_manifest, write_manifest
from gguf_convert.output import Output, discard, opened, publish, untouched
from gguf_convert.plan import Plan, PlannedTensor
from gguf_convert.route import kept_at_once
from gguf_convert.slots import Slot, slots_of
from gguf_convert.source.checkpoint import Checkpoint, Shard, shard_at
from gguf_convert.source.supply import Arrivals, Supply
from gguf_convert.stream import Stream, remaining_route

_SYNC_S: Final = 20.0
"""How often what was written is brought to the disk: what a power failure costs at most, besides comparing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A conversion that somebody wants. `target` is the file's path, or what split files are named after; `recipe` what
    the user calls the types; `expected` the sha256 that files of the checkpoint ought to have, where known. With a
    `supply` the files of the checkpoint need not be there: each is fetched when its turn comes.
    """

    checkpoint: Checkpoint
    plan: Plan
    target: Path
    recipe: str
    budget: Budget
    importance: Importance | None = None
    importance_sha256: str | None = None
    hash_sources: bool = True
    expected: Mapping[str, str] = field(default_factory=dict)
    restart: bool = False
    supply: Supply | None = None

    @property
    def files_here(self) -> tuple[Shard, ...]:
        """Files of the checkpoint that nobody fetches or deletes: all without a supply, an adapter's with one."""
        fetched = self.supply.source.files if self.supply else ()
        return tuple(shard for shard in self.checkpoint.shards.values() if shard.name not in fetched)


@dataclass(frozen=True, slots=True)
class Progress:
    """Work done and in all, in expected seconds of one core; `seconds` since this run began, `left` until its end;
    bytes of the output that are made, and made by this run; `at` names what was last worked on.
    """

    done: float
    total: float
    seconds: float
    left: float | None
    written: int
    written_now: int
    at: str


Tell = Callable[[Progress], None]


def convert(order: Order, tell: Tell = lambda progress: None) -> Manifest:
    """Makes the output, or goes on where an earlier run of the same order ended, and leaves a manifest beside it.

    Raises ConversionError with one sentence; what is done by then stays done, under names that nobody takes for whole.
    """
    folder = order.target.parent
    with locked(folder / (order.target.name + JOURNAL)) as journal:
        try:
            finished = _begin(order, journal)
        except ConversionError:
            if journal.identity is None:  # nothing was begun
                journal.path.unlink()
            raise
        if finished:
            _clear(order)
            journal.path.unlink()
            return finished
        if not journal.done.complete:
            _write(order, journal, tell)
        manifest = _manifest(order, journal.done)
        write_manifest(folder / (order.target.name + MANIFEST), manifest)
        publish(folder, order.plan.files)
        _clear(order)
        journal.path.unlink()
        return manifest


def _clear(order: Order) -> None:
    if order.supply:
        order.supply.clear()


def _write(order: Order, journal: Journal, tell: Tell) -> None:
    """Everything that is not in the output yet."""
    try:
        with opened(order.target.parent, order.plan.files) as output:
            _check_unsynced(order.plan, output, journal)
            _make(order, output, journal, tell)
            output.sync()
    except TargetError:
        if journal.done.nothing:  # no room, or no right to write: nothing is worth keeping
            _discard(order, journal)
        raise
    except WeightsTooLarge:
        _discard(order, journal)
        raise
    _check_sources(order.files_here)
    _check_importance(order)
    journal.complete()


def _discard(order: Order, journal: Journal) -> None:
    journal.path.unlink()
    discard(order.target.parent, [file.name for file in order.plan.files])


def identity(order: Order) -> dict[str, Any]:
    """What must be the same for a conversion to go on where another ended: whatever the bytes depend on."""
    shards = order.checkpoint.shards.values()
    return {
        "plan": order.plan.digest,
        "importance": order.importance_sha256,
        "sources": {shard.name: [shard.size, shard.mtime_ns] for shard in shards},
        "ggml": ggml.version(),
        "files": [file.name for file in order.plan.files],
    }


def _begin(order: Order, journal: Journal) -> Manifest | None:
    """Settles what is there already; the manifest, when that is the finished output of this very order."""
    wanted = identity(order)
    if order.restart or journal.identity is None:
        finished = None if order.restart else _finished(order, journal)
        if finished is None:
            before = (journal.identity or {}).get("files", ())
            discard(order.target.parent, {*map(str, before), *wanted["files"]})
            journal.begin(wanted | _origin(order))
        return finished
    if {key: value for key, value in journal.identity.items() if key != "origin"} != wanted:
        raise _other(order, journal.identity, wanted)
    if not untouched(order.target.parent, order.plan.files, named=journal.done.complete):
        journal.begin(wanted | _origin(order))  # somebody removed what had been made
    return None


def _origin(order: Order) -> dict[str, str]:
    """The commit of a hub that a conversion is begun with; another with the same files may finish it."""
    return {"origin": order.supply.origin} if order.supply else {}


def _finished(order: Order, journal: Journal) -> Manifest | None:
    folder = order.target.parent
    record = folder / (order.target.name + MANIFEST)
    there = [file.name for file in order.plan.files if (folder / file.name).exists()]
    there = there or [name for name in _recorded(record) if (folder / name).exists()]
    if not there:
        return None
    manifest = read_manifest(record)
    whole = all((folder / f.name).exists() and (folder / f.name).stat().st_size == f.size for f in order.plan.files)
    if manifest and whole and _same(manifest, order):
        return manifest
    raise TargetError(f"{folder / there[0]} exists and is not what this command makes; --restart replaces it")


def _recorded(record: Path) -> tuple[str, ...]:
    """The files that a record at this path is of: another output of this name, in more files or fewer."""
    try:
        manifest = read_manifest(record)
    except TargetError:
        return ()
    return tuple(Path(name).name for name in manifest.files) if manifest else ()


def _same(manifest: Manifest, order: Order) -> bool:
    sources = {source.name: [source.size, source.mtime_ns] for source in manifest.sources}
    wanted = identity(order)
    return (manifest.plan, manifest.importance, sources, manifest.versions.ggml) == (
        wanted["plan"], wanted["importance"], wanted["sources"], wanted["ggml"],
    )  # fmt: skip


def _other(order: Order, was: Mapping[str, Any], wanted: Mapping[str, Any]) -> ConversionError:
    """Why the beginning that is there cannot be gone on with."""
    go_on = "--restart begins anew"
    before, now = was.get("sources", {}), wanted["sources"]
    changed = [name for name in now if name in before and before[name] != now[name]]
    if changed and was.get("plan") == wanted["plan"]:
        finish = f"{was['origin']} finishes it, " if "origin" in was else ""
        return SourceError(f"{changed[0]} has changed since this conversion was begun; {finish}{go_on}")
    return TargetError(
        f"{order.target} was begun by another command (other types, options or version of ggml): "
        f"give that command again to finish it; {go_on}"
    )


def _check_unsynced(plan: Plan, output: Output, journal: Journal) -> None:
    """Compares what may not have reached the disk before a power failure with what the journal says of it."""
    for slot, (_, crc) in list(journal.done.unsynced.items()):
        tensor = plan.tensors[slot.tensor]
        offset, size = tensor.place(slot.start, slot.stop)
        there = 0
        for piece in output.pieces(tensor.file, offset, size):
            there = zlib.crc32(piece, there)
        if there != crc:
            journal.lost(slot.tensor)


def _make(order: Order, output: Output, journal: Journal, tell: Tell) -> None:
    setup = Setup(files=output.paths, importance=order.importance)
    stock = _Stock(order)
    with contextlib.ExitStack() as stack:
        stream = _stream(order, order.supply, output, journal, stack) if order.supply else None
        work = _Work(order, journal.done, stream)
        syncs = stack.enter_context(contextlib.closing(_Syncs(output, journal, stream)))
        crew = Crew(setup, stock.material, order.budget.workers, keep=(journal.descriptor,))
        stack.enter_context(crew)
        while True:
            for job, answer in crew.answers(work.next):
                _note(order, journal, job, answer)
                work.finished(job)
                syncs.step()
                tell(work.progress(work.name_of(job)))
            if not stream or stream.over:
                return
            stream.wait()
            syncs.step()
            tell(work.progress(stream.waits_for))


def _stream(order: Order, supply: Supply, output: Output, journal: Journal, stack: contextlib.ExitStack) -> Stream:
    """The slots of a checkpoint that is fetched; files that an earlier run was done with are deleted first."""
    made = _made_rows(order.plan, journal.done)
    legs = remaining_route(order.plan, order.checkpoint, supply.source.files, made)
    wanted = [leg.file for leg in legs if leg.file is not None]
    if not supply.keep:
        output.sync()
        journal.synced(journal.lines)
        journal.settle()
        for name in order.checkpoint.shards.keys() & supply.source.files.keys() - set(wanted):
            supply.drop(name)
    sizes = supply.sizes(wanted)
    supply.check_room(sum(sizes.values()) if supply.keep else kept_at_once(legs, sizes))
    arrivals = stack.enter_context(Arrivals(supply, wanted))
    return Stream(arrivals, legs, order.plan, journal, elements=order.budget.slot_elements, made=made)


def _note(order: Order, journal: Journal, job: Job, answer: Answer) -> None:
    if isinstance(job, Slot) and isinstance(answer, Made):
        journal.made(job, answer)
    elif isinstance(job, HashTensor) and isinstance(answer, Hashed):
        journal.hashed_tensor(job.tensor, answer.sha256)
    elif isinstance(job, HashSource) and isinstance(answer, Hashed):
        wanted = order.expected.get(job.shard, answer.sha256)
        if wanted != answer.sha256:
            path = order.checkpoint.shards[job.shard].path
            raise SourceError(f"{path} is damaged: its sha256 is {answer.sha256} and ought to be {wanted}")
        journal.hashed_source(job.shard, answer.sha256)


class _Work:
    """Which job is next. A file of the checkpoint is hashed when the first tensor needs it, a tensor when its last slot
    is made: either is then still in the system's cache.
    """

    def __init__(self, order: Order, done: Done, stream: Stream | None) -> None:
        self._plan = order.plan
        self._stream = stream
        self._jobs = _jobs(order, done)
        self._hashes = deque(_hashes_of_files(order, done)) if stream else deque[Job]()
        self._rows_left = [
            0 if number in done.tensors else tensor.target.n_rows - done.rows(number)
            for number, tensor in enumerate(order.plan.tensors)
        ]
        self._hashes.extend(
            _hash_of(order.plan, number)
            for number, rows in enumerate(self._rows_left)
            if not rows and number not in done.tensors
        )
        self._total = sum(_cost(tensor, tensor.target.n_rows) for tensor in order.plan.tensors)
        self._left = sum(map(_cost, order.plan.tensors, self._rows_left))
        self._left_at_start = self._left
        self._written = sum(
            (tensor.target.n_rows - rows) * tensor.row_bytes
            for tensor, rows in zip(order.plan.tensors, self._rows_left, strict=True)
        )
        self._written_at_start = self._written
        self._began = time.monotonic()

    def next(self) -> Job | None:
        """The next job; None when there is none at present."""
        if self._hashes:
            return self._hashes.popleft()
        return self._stream.next() if self._stream else next(self._jobs, None)

    def finished(self, job: Job) -> None:
        """A job is done and written down."""
        if isinstance(job, Slot):
            if self._stream:
                self._stream.made(job)
            rows = job.stop - job.start
            self._left -= _cost(self._plan.tensors[job.tensor], rows)
            self._written += rows * self._plan.tensors[job.tensor].row_bytes
            self._rows_left[job.tensor] -= rows
            if not self._rows_left[job.tensor]:
                self._hashes.append(_hash_of(self._plan, job.tensor))

    def name_of(self, job: Job) -> str:
        """What a job is about."""
        return job.shard if isinstance(job, HashSource) else self._plan.tensors[job.tensor].target.name

    def progress(self, at: str) -> Progress:
        """How far it is; `at` says where."""
        seconds = time.monotonic() - self._began
        made = self._left_at_start - self._left
        left = seconds * max(self._left, 0.0) / made if made > 0 else None
        return Progress(
            done=self._total - self._left,
            total=self._total,
            seconds=seconds,
            left=left,
            written=self._written,
            written_now=self._written - self._written_at_start,
            at=at,
        )


def _jobs(order: Order, done: Done) -> Iterator[Job]:
    """Hashes of the checkpoint's files and slots, as far as they are not done, in the order of the output."""
    unhashed = dict.fromkeys(name for name in order.checkpoint.shards if name not in done.sources)
    for number, tensor in enumerate(order.plan.tensors):
        if order.hash_sources:
            for shard in _shards(order.checkpoint, tensor):
                if shard in unhashed:
                    del unhashed[shard]
                    yield HashSource(shard, order.checkpoint.shards[shard].path)
        if number not in done.tensors:
            yield from slots_of(number, tensor, order.budget.slot_elements, [*done.parts.get(number, ())])
    if order.hash_sources:
        for shard in unhashed:
            yield HashSource(shard, order.checkpoint.shards[shard].path)


def _hashes_of_files(order: Order, done: Done) -> Iterator[Job]:
    """Of the files that are here; fetched ones are hashed when they arrive."""
    for shard in order.files_here if order.hash_sources else ():
        if shard.name not in done.sources:
            yield HashSource(shard.name, shard.path)


def _hash_of(plan: Plan, number: int) -> HashTensor:
    tensor = plan.tensors[number]
    return HashTensor(number, tensor.file, tensor.offset, tensor.size)


class _Stock:
    """The part of the checkpoint that each tensor is made from."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._names = sorted(order.checkpoint.tensors)

    def material(self, number: int) -> Material:
        """What the plan's tensor of that number is made from: its weights, with what is stored beside them."""
        checkpoint, tensor = self._order.checkpoint, self._order.plan.tensors[number]
        names = {name for weight in tensor.target.source.weights for name in self._beside(weight)}
        tensors = {name: checkpoint.tensors[name] for name in sorted(names)}
        shards = {held.shard: checkpoint.shards[held.shard] for held in tensors.values()}
        return Material(tensor, replace(checkpoint, tensors=tensors, shards=shards))

    def _beside(self, weight: str) -> Iterator[str]:
        """Everything that is called like the weight up to its last dot: scales and groups are."""
        stem = weight[: weight.rfind(".") + 1]
        index = bisect_left(self._names, stem)
        while index < len(self._names) and self._names[index].startswith(stem):
            if "." not in self._names[index][len(stem) :]:
                yield self._names[index]
            index += 1


def _made_rows(plan: Plan, done: Done) -> dict[int, list[tuple[int, int]]]:
    """The rows that are made, of the tensors of which some are."""
    whole = {number: [(0, plan.tensors[number].target.n_rows)] for number in done.tensors}
    return {number: [*parts] for number, parts in done.parts.items()} | whole


def _shards(checkpoint: Checkpoint, tensor: PlannedTensor) -> Iterator[str]:
    """Files that hold a tensor's weights. Those of groups and scales are not looked for: they come in their turn."""
    for name in tensor.target.source.weights:
        if name in checkpoint.tensors:
            yield checkpoint.tensors[name].shard


class _Syncs:
    """Brings what was written to the disk now and then, in a thread: the disk may take seconds, workers need jobs."""

    def __init__(self, output: Output, journal: Journal, stream: Stream | None) -> None:
        self._output = output
        self._journal = journal
        self._stream = stream
        self._next = time.monotonic() + _SYNC_S
        self._thread: threading.Thread | None = None
        self._lines = 0
        self._error: TargetError | None = None

    def step(self) -> None:
        """Begins to sync when it is time; writes down that it is done when it is. Raises TargetError."""
        if self._thread and not self._thread.is_alive():
            self._thread = None
            if self._error:
                raise self._error
            self._journal.synced(self._lines)
            if self._stream:
                self._stream.durable(self._lines)
        soon = self._stream is not None and self._stream.waits_for_disk
        if not self._thread and (soon or time.monotonic() >= self._next):
            self._next = time.monotonic() + _SYNC_S
            self._lines = self._journal.lines
            self._thread = threading.Thread(target=self._sync, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Waits for the thread: the files are about to be closed."""
        if self._thread:
            self._thread.join()

    def _sync(self) -> None:
        try:
            self._output.sync()
        except TargetError as exc:
            self._error = exc


def _check_sources(shards: Iterable[Shard]) -> None:
    """Raises SourceError when a file is not the one that was opened: half of the output may be made of each."""
    for shard in shards:
        now = shard_at(shard.path)
        if (now.size, now.mtime_ns) != (shard.size, shard.mtime_ns):
            raise SourceError(f"{shard.path} has changed while it was converted; --restart begins anew")


def _check_importance(order: Order) -> None:
    """Workers read the importance matrix all along: the same for it."""
    known = order.importance_sha256
    if order.importance and known and sha256_of(order.importance.path) != known:
        raise SourceError(f"{order.importance.path} has changed while it was used; --restart begins anew")


def _cost(tensor: PlannedTensor, rows: int) -> float:
    return rows * tensor.target.row_length * usual_seconds(tensor.type)


def _manifest(order: Order, done: Done) -> Manifest:
    return Manifest(
        architecture=order.plan.architecture,
        recipe=order.recipe,
        plan=order.plan.digest,
        importance=order.importance_sha256,
        origin=order.supply.origin if order.supply else None,
        versions=Versions(converter=version("r1-lsp"), ggml=ggml.version()),
        sources=tuple(
            Source(name=shard.name, size=shard.size, mtime_ns=shard.mtime_ns, sha256=done.sources.get(shard.name))
            for shard in order.checkpoint.shards.values()
        ),
        files=tuple(file.name for file in order.plan.files),
        headers=tuple(hashlib.sha256(file.header).hexdigest() for file in order.plan.files),
        tensors=tuple(
            _record(order.plan, tensor, done.tensors[number]) for number, tensor in enumerate(order.plan.tensors)
        ),
        unused=dict(order.plan.unused),
        warnings=order.plan.warnings,
    )


def _record(plan: Plan, tensor: PlannedTensor, finished: Finished) -> TensorRecord:
    return TensorRecord(
        name=tensor.target.name,
        type=tensor.type,
        shape=tensor.target.shape,
        file=plan.files[tensor.file].name,
        size=tensor.size,
        sha256=finished.sha256,
        # Six digits: the last ones depend on where slots were cut.
        error=float(f"{math.sqrt(finished.error / finished.energy):.6g}") if finished.energy else None,
    )
