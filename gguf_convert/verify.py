"""Whether a GGUF file is sound, is what its manifest says, and means what its checkpoint means. `r1-gguf verify`
without its command line.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gguf_convert.arch.architecture import Choices
from gguf_convert.arch.table import architecture_of
from gguf_convert.checks.contents import check_contents
from gguf_convert.checks.findings import Finding, Note, Tell, silent
from gguf_convert.checks.logits import LogitsReport, compare_logits
from gguf_convert.checks.metadata import check_metadata
from gguf_convert.checks.record import check_record, check_sources, manifest_of
from gguf_convert.checks.structure import check_structure
from gguf_convert.checks.vocabulary import check_vocabulary
from gguf_convert.checks.weights import Compared, check_tensors, compare_all, judge
from gguf_convert.errors import ConversionError, SourceError, TargetError, WorkerDied
from gguf_convert.fields import Field
from gguf_convert.lora import merged
from gguf_convert.manifest import Manifest, read_manifest
from gguf_convert.peft import open_adapter
from gguf_convert.rows import Weight
from gguf_convert.source.checkpoint import Checkpoint, open_checkpoint
from gguf_convert.source.gguf import GgufSource, open_gguf, read_fields
from gguf_convert.source.reader import CheckpointReader, logical_weights
from gguf_convert.tensors import TargetTensor
from gguf_convert.tokenizer import tokenizer_fields

_OF_THE_FILE: Final = ("general.", "split.", "quantize.")
"""Metadata that may differ between two files of one model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`file` is any file of the model. `source` is a checkpoint's folder, to whose weights the LoRA adapter in the
    folder `adapter` is added, or another GGUF file of the model; `manifest` is the file to use instead of the one
    beside the model. `reference` is a GGUF file whose logits on `text` are the right ones, `chunks` how many contexts
    of the text are compared (all when None), and `max_kl` the greatest mean divergence that is no finding, in nats.
    """

    file: Path
    source: Path | None = None
    adapter: Path | None = None
    manifest: Path | None = None
    reference: Path | None = None
    text: Path | None = None
    chunks: int | None = None
    max_kl: float | None = None
    all_rows: bool = False
    hash_sources: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found. `files` are those of the model, `checks` the names of those that were made; `notes` say what was
    not checked, and why.
    """

    files: tuple[Path, ...]
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    notes: tuple[Note, ...] = ()
    compared: tuple[Compared, ...] = ()
    logits: LogitsReport | None = None

    @property
    def sound(self) -> bool:
        return not self.findings


@dataclass(frozen=True, slots=True)
class _Original:
    """What a file was made of."""

    checkpoint: Checkpoint
    tensors: Sequence[TargetTensor]
    fields: Sequence[Field]


def verify(request: Request, tell: Tell = silent) -> Report:
    """Makes every check that the request has what it takes for. What is wrong with the model is a finding and not an
    error; raises ConversionError for a manifest, a reference or a text that cannot be used.
    """
    try:
        model = open_gguf(request.file)
    except ConversionError as exc:
        return Report(files=(request.file,), checks=("structure",), findings=(Finding("structure", str(exc)),))
    manifest = _manifest(request, model)
    work = _Work(request, model, manifest, tell)
    said = list(work.all_checks())
    return Report(
        files=tuple(shard.path for shard in model.checkpoint.shards.values()),
        checks=tuple(work.checks),
        findings=tuple(item for item in said if isinstance(item, Finding)),
        notes=tuple(item for item in said if isinstance(item, Note)),
        compared=tuple(work.compared),
        logits=work.logits,
    )


class _Work:
    """One verification: the checks in their order, and what they measured."""

    def __init__(self, request: Request, model: GgufSource, manifest: Manifest | None, tell: Tell) -> None:
        self._request = request
        self._model = model
        self._manifest = manifest
        self._tell = tell
        self.checks: list[str] = []
        self.compared: list[Compared] = []
        self.logits: LogitsReport | None = None

    def all_checks(self) -> Iterator[Finding | Note]:
        self.checks += ["structure", "values"]
        yield from check_structure(self._model)
        yield from self._bytes()
        try:
            metadata = {field.key: field for field in read_fields(self._model.first)}
        except ConversionError as exc:
            yield Finding("structure", str(exc))
            return
        yield from self._tokens(metadata)
        if self._request.source:
            yield from self._source(self._request.source, metadata)
        if self._request.reference and self._request.text:
            yield from self._answers(self._request.reference, _read(self._request.text))

    def _bytes(self) -> Iterator[Finding | Note]:
        hashes: Mapping[str, str] = {}
        if self._manifest is None:
            yield Note("checksums", f"there is no manifest beside the file ({manifest_of(self._model).name})")
        else:
            self.checks.append("checksums")
            another = list(check_record(self._model, self._manifest))
            yield from another
            if not another:
                hashes = {tensor.name: tensor.sha256 for tensor in self._manifest.tensors}
        yield from check_contents(self._model, hashes, self._tell)

    def _tokens(self, metadata: Mapping[str, Field]) -> Iterator[Finding | Note]:
        self.checks.append("tokenizer")
        yield from check_vocabulary(self._model.first, metadata)

    def _source(self, source: Path, metadata: Mapping[str, Field]) -> Iterator[Finding | Note]:
        self.checks += ["metadata", "weights"]
        try:
            original = _original(source, self._request.adapter, metadata, self._model)
        except ConversionError as exc:
            yield Finding("weights", f"the file cannot be compared with its source: {exc}")
            return
        if self._manifest and self._request.hash_sources:
            yield from check_sources(self._manifest, original.checkpoint.shards, self._tell)
        yield from check_metadata(metadata, original.fields)
        yield from check_tensors(self._model.tensors, original.tensors)
        yield from self._weights(original)

    def _weights(self, original: _Original) -> Iterator[Finding]:
        all_rows = self._request.all_rows
        with CheckpointReader(original.checkpoint) as reader:
            for found in compare_all(self._model, reader, original.tensors, self._tell, all_rows=all_rows):
                if isinstance(found, Finding):
                    yield found
                    continue
                self.compared.append(found)
                if finding := judge(found):
                    yield finding

    def _answers(self, reference: Path, text: bytes) -> Iterator[Finding]:
        self.checks.append("logits")
        first = open_gguf(reference).first
        try:
            found = compare_logits(self._model.first, first, text, self._tell, chunks=self._request.chunks)
        except WorkerDied as exc:
            yield Finding("logits", str(exc))
            return
        if isinstance(found, Finding):
            yield found
            return
        self.logits = found
        most = self._request.max_kl
        if most is not None and found.kl.mean > most:
            yield Finding("logits", f"the mean divergence from {reference} is {found.kl.mean:.4g}, more than {most:g}")


def _manifest(request: Request, model: GgufSource) -> Manifest | None:
    path = request.manifest or manifest_of(model)
    manifest = read_manifest(path)
    if manifest is None and request.manifest:
        raise TargetError(f"there is no manifest {path}")
    return manifest


def _read(text: Path) -> bytes:
    try:
        return text.read_bytes()
    except OSError as exc:
        raise SourceError(f"{text} cannot be read: {exc.strerror or exc}") from exc


def _original(source: Path, adapter: Path | None, metadata: Mapping[str, Field], model: GgufSource) -> _Original:
    """What the file's tensors and metadata should be, by the checkpoint or by another file."""
    if source.suffix == ".gguf":
        return _other_file(source)
    checkpoint = open_checkpoint(source)
    architecture = architecture_of(checkpoint.config)
    choices = Choices(mtp=_mtp(metadata, model, architecture.name))
    with CheckpointReader(checkpoint) as reader:
        layout = architecture.layout(checkpoint.config, logical_weights(checkpoint), reader, choices)
    fields = (*layout.fields, *tokenizer_fields(source, checkpoint.config))
    if adapter:
        added = open_adapter(adapter)
        checkpoint, layout = added.beside(checkpoint), merged(layout, added)
    return _Original(checkpoint, layout.tensors, fields)


def _other_file(source: Path) -> _Original:
    other = open_gguf(source)
    tensors = []
    for tensor in other.tensors:
        n_rows = tensor.elements // tensor.shape[0]
        made_of = Weight(tensor.name, n_rows, tensor.shape[0])
        tensors.append(TargetTensor(name=tensor.name, shape=tensor.shape, source=made_of))
    fields = [field for field in read_fields(other.first) if not field.key.startswith(_OF_THE_FILE)]
    return _Original(other.checkpoint, tensors, fields)


def _mtp(metadata: Mapping[str, Field], model: GgufSource, architecture: str) -> str:
    """What was chosen about the layer of multi-token prediction, by what the file has."""
    said = metadata.get(f"{architecture}.nextn_predict_layers")
    if said is None or not said.value:
        return "drop"
    return "keep" if any(tensor.name.startswith("blk.0.") for tensor in model.tensors) else "separate"
