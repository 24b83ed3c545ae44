"""The model through llama.cpp's low-level API. Nothing else in this package imports llama_cpp.

`llama_cpp.Llama` is not used: it cannot end the reading of a prompt, its infill ids are placeholders, and it
detokenises the whole answer at every token.
"""

import ctypes
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import llama_cpp as ll
import numpy as np
from numpy.typing import NDArray

from engine.backends import calibrate
from engine.backends.backend import Encoded, LoadProgress, Logits, Outcome, Part
from engine.errors import ONLY_TEXT, ContextOverflow, EngineError, ModelUnusable, Unsupported
from engine.models.resolve import ResolvedModel, resolve
from engine.platform import cache_dir
from engine.prompt import chat, fim
from engine.prompt.pieces import Piece, guarded
from engine.prompt.think import Start
from engine.shared_start import n_shared
from engine.types import ChatPrompt, EngineOptions, GenerateRequest, InfillPrompt, ModelInfo, TextPrompt, Usage

logger = logging.getLogger(__name__)

N_SLOTS = 16
MAX_BATCH = 128 + N_SLOTS
"""One slice of a prompt and a token for each slot, evaluated as one micro-batch."""
DEFAULT_N_CTX = 4096
REASONING_N_CTX = 8192
MIN_N_CTX = 256

_ALL = -1
_SPEEDS = "speed.json"


class LlamaBackend:
    """Implements `engine.backends.backend.Backend`."""

    n_slots = N_SLOTS
    max_batch = MAX_BATCH

    def __init__(
        self,
        resolved: ResolvedModel,
        options: EngineOptions,
        progress: LoadProgress,
        *,
        infill: fim.FimRow | None = None,
    ) -> None:
        """Loads the model. `infill`: markers to use instead of the family's, whatever the model makes of them."""
        self._model = _load_model(resolved, options, progress)
        self.vocabulary = Vocabulary(self._model)
        self._family = resolved.family
        n_ctx = _n_ctx(resolved, options)
        self._context = _new_context(self._model, n_ctx, resolved)
        if resolved.adapter is not None:
            _add_adapter(self._model, self._context, resolved.adapter)
        self._memory = ll.llama_get_memory(self._context)
        self._abort = _AbortFlag(self._context)
        self._batch = _Batch(MAX_BATCH)
        self._rows: list[int] = []
        self._views: dict[int, Logits] = {}
        self._measured: calibrate.Measured | None = None
        self._kept: calibrate.Measured | None = None
        self._speed_key = ""
        self._row = _usable_row(self.vocabulary, infill or fim.row_for(resolved.family))
        self.info = ModelInfo(
            id=resolved.id,
            family=resolved.family,
            n_ctx=n_ctx,
            can_infill=self._row is not None and self._row.trained,
            can_chat=chat.can_chat(resolved.family),
            reasons=chat.reasons(resolved.family),
        )

    @classmethod
    def load(
        cls, options: EngineOptions, progress: LoadProgress, *, infill: fim.FimRow | None = None
    ) -> "LlamaBackend":
        """Finds, loads and measures the model. Raises ModelNotFound, ModelUnusable."""
        resolved = resolve(options)
        backend = cls(resolved, options, progress, infill=infill)
        backend._calibrate(resolved, options, progress)
        return backend

    def _calibrate(self, resolved: ResolvedModel, options: EngineOptions, progress: LoadProgress) -> None:
        row = self._row
        probe = None if row is None or row.trained else lambda hole: fim.render(row, hole)
        stat = resolved.path.stat()
        adapter = "" if resolved.adapter is None else resolved.adapter.name
        machine = f"{calibrate.cpu_name()} {calibrate.available_cores()} {options.threads} {options.gpu_layers}"
        self._speed_key = (
            f"{machine} {ll.__version__} {resolved.path.name} {resolved.size} {stat.st_mtime_ns} {adapter}"
        )
        self._measured = self._kept = calibrate.cached(
            cache_dir() / _SPEEDS,
            self._speed_key,
            lambda: calibrate.measure(self, progress, threads=options.threads, probe_infill=probe),
        )
        self.set_threads(self._measured.threads)
        self._publish(self._measured)

    def _publish(self, measured: calibrate.Measured) -> None:
        self.info = replace(
            self.info,
            can_infill=self.info.can_infill or measured.infills,
            prefill_tps=measured.prefill_tps,
            decode_tps=measured.decode_tps,
            chars_per_token=measured.chars_per_token,
        )

    def served(self, usage: Usage) -> None:
        better = None if self._measured is None else calibrate.raised(self._measured, usage)
        if better is not None and better != self._measured:
            self._measured = better
            self._publish(better)

    def set_threads(self, threads: int) -> None:
        ll.llama_set_n_threads(self._context, threads, threads)

    # -- text and tokens -------------------------------------------------------------------------------------------

    def encode(self, request: GenerateRequest) -> Encoded:
        match request.prompt:
            case TextPrompt(text=text) if request.choices:
                return self._encode_choices([text + choice for choice in request.choices])
            case _ if request.choices:
                raise Unsupported(ONLY_TEXT)
            case TextPrompt(text=text):
                return Encoded(tokens=self._within_context([Piece(text, special=False)]))
            case InfillPrompt() as hole:
                return self._encode_infill(hole)
            case ChatPrompt() as talk:
                return self._encode_chat(talk, request.think_budget)

    def _encode_choices(self, texts: list[str]) -> Encoded:
        """What all texts share is the prompt. Each is tokenised whole: no token ends only because a prompt does."""
        beginning = self.vocabulary.beginning
        whole = [self._within_context([Piece(text, special=False)]) for text in texts]
        bare = [tokens[1:] if tokens[0] == beginning else tokens for tokens in whole]
        n = n_shared(bare)
        begun = n == 0 or whole[0][0] == beginning
        return Encoded(tokens=[beginning] * begun + bare[0][:n], choices=tuple(tuple(tokens[n:]) for tokens in bare))

    def _encode_infill(self, hole: InfillPrompt) -> Encoded:
        if self._row is None or not self.info.can_infill:
            raise Unsupported(f"{self.info.id} has not learnt to fill in the middle of a text")
        ends = (self.vocabulary.tokenise(Piece(stop, special=True)) for stop in self._row.stops)
        return Encoded(
            tokens=self._within_context(fim.render(self._row, hole)),
            ends=frozenset(tokens[0] for tokens in ends if len(tokens) == 1),
        )

    def _encode_chat(self, talk: ChatPrompt, think_budget: int | None) -> Encoded:
        family = self._family
        tokens = self._within_context(chat.render(family, talk.messages, talk.prefill, think_budget))
        if not chat.reasons(family):
            return Encoded(tokens=tokens, stops=chat.stops(family))
        opens = chat.opens_thinking(family, talk.prefill, think_budget)
        close = [token for piece in chat.after_thinking(family) for token in self.vocabulary.tokenise(piece)]
        return Encoded(
            tokens=tokens,
            start=Start.THINKING if opens else Start.TEXT,
            think_close=tuple(close),
            stops=chat.stops(family),
        )

    def _within_context(self, pieces: list[Piece]) -> list[int]:
        """Tokenises, unless the text is so long that no tokeniser could make it fit."""
        least = sum(len(piece.text) for piece in pieces) // self.vocabulary.longest_token
        n_ctx = self.info.n_ctx
        if least >= n_ctx:
            raise ContextOverflow(least, n_ctx)
        tokens = self.tokenise(pieces)
        if len(tokens) >= n_ctx:
            raise ContextOverflow(len(tokens), n_ctx)
        return tokens

    def tokenise(self, pieces: Iterable[Piece]) -> list[int]:
        """The tokens of a rendered prompt, with the beginning-of-sequence token where the vocabulary wants one.

        An empty prompt has that token in any case: the model needs something to continue.
        """
        tokens = [token for piece in pieces for token in self.vocabulary.tokenise(piece)]
        first = self.vocabulary.first
        if not tokens:
            return [self.vocabulary.beginning]
        return tokens if first is None or tokens[0] == first else [first, *tokens]

    def tokens_of(self, text: str) -> list[int]:
        return self.vocabulary.tokenise(Piece(text, special=False))

    def piece(self, token: int) -> bytes:
        return self.vocabulary.piece(token)

    def ends(self, token: int) -> bool:
        return token in self.vocabulary.ends

    # -- evaluation ------------------------------------------------------------------------------------------------

    def run(self, parts: Sequence[Part]) -> Outcome:
        self._rows = self._batch.fill(parts)
        status = ll.llama_decode(self._context, self._batch.struct)
        if status == 0:
            return "done"
        if status == 1:
            return "full"
        if status == 2:
            return "aborted"
        raise EngineError(f"llama.cpp could not evaluate a batch (status {status}): {_log.last_error or 'no reason'}")

    def logits(self, part: int) -> Logits:
        pointer = ll.llama_get_logits_ith(self._context, self._rows[part])
        address = ctypes.cast(pointer, ctypes.c_void_p).value
        if address is None:
            raise EngineError("llama.cpp has no logits for this position")
        # llama.cpp keeps one buffer for all steps; making a view costs as much as an argmax, so views are kept, too.
        view = self._views.get(address)
        if view is None:
            row = (ctypes.c_float * self.vocabulary.size).from_address(address)
            view = self._views[address] = np.ctypeslib.as_array(row)
        return view

    def rewind(self, slot: int, n: int) -> bool:
        if ll.llama_memory_seq_rm(self._memory, slot, n, _ALL):
            return True
        ll.llama_memory_seq_rm(self._memory, slot, _ALL, _ALL)
        return n == 0

    def copy(self, source: int, target: int, n: int) -> None:
        ll.llama_memory_seq_cp(self._memory, source, target, 0, n)

    def abort(self) -> None:
        self._abort.set(up=True)

    def clear_abort(self) -> None:
        self._abort.set(up=False)

    def close(self) -> None:
        """Gives the memory back. The backend must not be used afterwards."""
        if self._measured is not None and self._measured != self._kept:
            calibrate.keep(cache_dir() / _SPEEDS, self._speed_key, self._measured)
        if self._context is not None:
            self._views.clear()
            ll.llama_free(self._context)
            ll.llama_model_free(self._model)
            self._context = None


class Vocabulary:
    """Tokens and their bytes.

    `ends`: tokens that end a text; `first`: the token every prompt begins with, if any; `beginning`: the one that an
    empty prompt consists of.
    """

    def __init__(self, model: Any) -> None:
        self._vocab = ll.llama_model_get_vocab(model)
        self.size: int = ll.llama_vocab_n_tokens(self._vocab)
        self.ends = frozenset(token for token in range(self.size) if ll.llama_vocab_is_eog(self._vocab, token))
        begin, end = ll.llama_vocab_bos(self._vocab), ll.llama_vocab_eos(self._vocab)
        self.beginning: int = max(begin if begin >= 0 else end, 0)
        self.first = self.beginning if ll.llama_vocab_get_add_bos(self._vocab) else None
        self._buffer = ctypes.create_string_buffer(1024)
        texts = [ll.llama_vocab_get_text(self._vocab, token) or b"" for token in range(self.size)]
        self.longest_token = max(1, *map(len, texts))
        self._forbidden = self._special(texts)
        self.markers = frozenset(texts[token].decode("utf-8", "replace") for token in np.flatnonzero(self._forbidden))
        self._pieces: dict[int, bytes] = {}

    def _special(self, texts: list[bytes]) -> NDArray[np.bool_]:
        """Which tokens must not come from content: control, user-defined and unknown ones; not runs of blanks."""
        special = ll.LLAMA_TOKEN_ATTR_CONTROL | ll.LLAMA_TOKEN_ATTR_USER_DEFINED | ll.LLAMA_TOKEN_ATTR_UNKNOWN
        attributes = (ll.llama_vocab_get_attr(self._vocab, token) for token in range(self.size))
        return np.array([bool(a & special) and bool(text.strip()) for a, text in zip(attributes, texts, strict=True)])

    def tokenise(self, piece: Piece) -> list[int]:
        """The tokens of one piece. Content never becomes a control token, whatever it spells.

        llama.cpp recognises user-defined tokens (`<think>`, `<|EOT|>` in DeepSeek's files) even where special tokens
        are off. Text that holds one is cut inside it and tokenised in parts.
        """
        tokens = self._tokenise(piece.text, special=piece.special)
        if piece.special or not self._forbidden[tokens].any():
            return tokens
        parts = guarded([piece], self.markers)
        return [token for part in parts for token in self._tokenise(part.text, special=False)]

    def _tokenise(self, text: str, *, special: bool) -> list[int]:
        raw = text.encode("utf-8", "replace")
        size = len(raw) + 8
        buffer = (ctypes.c_int32 * size)()
        n = ll.llama_tokenize(self._vocab, raw, len(raw), buffer, size, False, special)  # noqa: FBT003 - C has no names
        if n < 0:
            raise EngineError(f"llama.cpp could not tokenise a text of {len(raw)} bytes")
        return buffer[:n]

    def piece(self, token: int) -> bytes:
        """A token's bytes; nothing for control tokens, but for the tags of reasoning, which have to be seen."""
        found = self._pieces.get(token)
        if found is None:
            raw = self._render(token, special=True)
            if self._forbidden[token] and raw not in _TAGS:
                raw = self._render(token, special=False)
            found = self._pieces[token] = raw
        return found

    def _render(self, token: int, *, special: bool) -> bytes:
        n = ll.llama_token_to_piece(self._vocab, token, self._buffer, len(self._buffer), 0, special)
        return self._buffer.raw[: max(n, 0)]


_TAGS = frozenset({chat.THINK_OPEN.encode(), chat.THINK_CLOSE.encode()})


class _Batch:
    """A llama_batch over arrays of our own, filled by numpy instead of token by token."""

    def __init__(self, size: int) -> None:
        self._token = np.zeros(size, dtype=np.int32)
        self._position = np.zeros(size, dtype=np.int32)
        self._slot = np.zeros(size, dtype=np.int32)
        self._wanted = np.zeros(size, dtype=np.int8)
        self._n_slots = np.ones(size, dtype=np.int32)
        step = self._slot.itemsize
        self._slots = np.arange(size, dtype=np.uintp) * step + self._slot.ctypes.data
        self.struct = ll.llama_batch(
            n_tokens=0,
            token=_pointer(self._token, ctypes.c_int32),
            embd=None,
            pos=_pointer(self._position, ctypes.c_int32),
            n_seq_id=_pointer(self._n_slots, ctypes.c_int32),
            seq_id=_pointer(self._slots, ctypes.POINTER(ctypes.c_int32)),
            logits=_pointer(self._wanted, ctypes.c_int8),
        )

    def fill(self, parts: Sequence[Part]) -> list[int]:
        """Returns the row of each part's last token."""
        at, rows = 0, []
        for part in parts:
            end = at + len(part.tokens)
            self._token[at:end] = part.tokens
            self._position[at:end] = np.arange(part.start, part.start + len(part.tokens))
            self._slot[at:end] = part.slot
            self._wanted[at:end] = 0
            self._wanted[end - 1] = part.wants_logits
            rows.append(end - 1)
            at = end
        self.struct.n_tokens = at
        return rows


def _pointer(array: NDArray[Any], kind: Any) -> Any:
    return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))


class _AbortFlag:
    """Ends a llama_decode from another thread.

    llama.cpp asks a callback `bool f(void *data)` some 500 times per token. A Python function there needs the
    interpreter lock each time and costs up to a quarter of the speed, so the callback is C: `strlen`, whose data is a
    buffer that holds "" or "x". It takes one pointer, reads it without changing anything, and returns 0 or 1; a `bool`
    is read from the low byte of the register that a `size_t` is returned in, in the calling conventions of x86-64 and
    of AArch64 alike. Any program that has libc has it, and nothing needs to be compiled.
    """

    def __init__(self, context: Any) -> None:
        self._text = ctypes.create_string_buffer(64)
        self._libc = ctypes.CDLL(None if os.name == "posix" else "msvcrt")
        self._callback = ctypes.cast(self._libc.strlen, ll.ggml_abort_callback)
        ll.llama_set_abort_callback(context, self._callback, ctypes.cast(self._text, ctypes.c_void_p))

    def set(self, *, up: bool) -> None:
        self._text[0] = b"x" if up else b"\0"


class _Log:
    """llama.cpp's log, in ours at DEBUG. Its errors are kept: they say why a model could not be loaded."""

    def __init__(self) -> None:
        self.last_error = ""
        self._level = 0
        self.callback = ll.llama_log_callback(self._line)  # llama.cpp holds no reference to it

    def _line(self, level: int, raw: bytes, _data: Any) -> None:
        self._level = self._level if level == _CONTINUED else level
        text = raw.decode("utf-8", "replace").strip()
        if text:
            logger.debug("llama.cpp: %s", text)
            if self._level == _ERROR:
                self.last_error = text


_ERROR, _CONTINUED = 4, 5  # enum ggml_log_level
_log = _Log()


def _load_model(resolved: ResolvedModel, options: EngineOptions, progress: LoadProgress) -> Any:
    ll.llama_log_set(_log.callback, ctypes.c_void_p(None))
    ll.llama_backend_init()
    params = ll.llama_model_default_params()
    if options.gpu_layers is not None:
        params.n_gpu_layers = options.gpu_layers
    report = ll.llama_progress_callback(_reporting(progress, resolved.id))
    params.progress_callback = report
    _log.last_error = ""
    model = ll.llama_model_load_from_file(os.fsencode(resolved.path), params)
    if not model:
        raise ModelUnusable(f"{resolved.path.name} cannot be loaded: {_log.last_error or 'no reason was given'}")
    return model


def _reporting(progress: LoadProgress, name: str) -> Callable[[float, Any], bool]:
    def report(fraction: float, _data: Any) -> bool:
        progress(f"loading {name}", round(fraction, 3))
        return True

    return report


def _n_ctx(resolved: ResolvedModel, options: EngineOptions) -> int:
    """The context in tokens: what was asked for, or a size that a laptop can hold; never more than was trained."""
    wanted = options.n_ctx or (REASONING_N_CTX if chat.reasons(resolved.family) else DEFAULT_N_CTX)
    return max(min(wanted, resolved.n_ctx_train or wanted), MIN_N_CTX)


def _new_context(model: Any, n_ctx: int, resolved: ResolvedModel) -> Any:
    params = ll.llama_context_default_params()
    params.n_ctx = n_ctx
    params.n_batch = params.n_ubatch = MAX_BATCH
    params.n_seq_max = N_SLOTS
    params.kv_unified = True  # slots share cells, so that copying a prefix is free
    params.swa_full = True  # sliding-window models, too, must be able to go back
    params.no_perf = True
    _log.last_error = ""
    context = ll.llama_init_from_model(model, params)
    if not context:
        ll.llama_model_free(model)
        reason = _log.last_error or "there is probably not enough memory"
        raise ModelUnusable(f"{resolved.path.name} cannot be run with a context of {n_ctx} tokens: {reason}")
    return context


def _add_adapter(model: Any, context: Any, path: Path) -> None:
    """Has llama.cpp add a LoRA adapter while it computes; it is freed with the model. On failure both are."""
    _log.last_error = ""
    adapter = ll.llama_adapter_lora_init(model, os.fsencode(path))
    adapters, scales = (ll.llama_adapter_lora_p_ctypes * 1)(adapter), (ctypes.c_float * 1)(1.0)
    if not adapter or ll.llama_set_adapters_lora(context, adapters, 1, scales) != 0:
        ll.llama_free(context)
        ll.llama_model_free(model)
        raise ModelUnusable(f"{path.name} cannot be loaded: {_log.last_error or 'no reason was given'}")


def _usable_row(vocabulary: Vocabulary, row: fim.FimRow | None) -> fim.FimRow | None:
    """The infill markers, if each is one token here."""
    if row is None or any(len(vocabulary.tokenise(Piece(text, special=True))) != 1 for text in row.markers):
        return None
    return row
