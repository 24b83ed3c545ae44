"""The tokenizer of a checkpoint as GGUF metadata: tokens, merges, how text is cut, special tokens, chat template.

Read from tokenizer.json, tokenizer_config.json and chat_template.jinja as data; nothing of a model's folder is run, and
no tokenizer library is needed. Only byte-level BPE is supported: that is what all models here have.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from gguf_convert.arch.architecture import Config
from gguf_convert.errors import SourceError, Unsupported
from gguf_convert.fields import Field
from gguf_convert.pretokenizer import pretokenizer_name
from gguf_convert.source.checkpoint import read_json_object

_LARGEST = 64 << 20  # bytes of a JSON file; the largest tokenizer.json in use has 35 MB
_MOST_TOKENS = 1 << 24
_NORMAL, _CONTROL, _USER_DEFINED, _UNUSED = 1, 3, 4, 5  # LLAMA_TOKEN_TYPE_*
_SPACE = "Ġ"  # how byte-level BPE writes a blank

# Roles of special tokens: the role in Hugging Face's files, and ours under tokenizer.ggml.
_ROLES = {
    "bos": "bos",
    "eos": "eos",
    "unk": "unknown",
    "sep": "seperator",  # so spelt in GGUF
    "pad": "padding",
    "mask": "mask",
}

# Tokens to fill in the middle with, by their text, as llama.cpp recognises them (llama-vocab.cpp).
_FILL_IN_MIDDLE: Mapping[str, tuple[str, ...]] = {
    "fim_pre": ("<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>"),
    "fim_suf": ("<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>"),
    "fim_mid": ("<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>"),
    "fim_pad": ("<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>"),
    "fim_rep": ("<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"),
    "fim_sep": ("<|file_sep|>",),
}

_LLAMA_CLASSES = ("LlamaTokenizer", "LlamaTokenizerFast")
_LOOK_SPECIAL = ("<pad>", "<mask>", "<2mass>", "[@BOS@]")
_SPECIAL_MARKS = (("<|", "|>"), ("<｜", "｜>"), ("<unused", ">"))


class _AddedToken(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: NonNegativeInt
    content: str
    special: bool = False


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: str | None = None
    vocab: dict[str, NonNegativeInt]
    merges: list[str] | list[tuple[str, str]]
    byte_fallback: bool = False
    ignore_merges: bool = False
    continuing_subword_prefix: str | None = None
    end_of_word_suffix: str | None = None


class _Tokenizer(BaseModel):
    """tokenizer.json."""

    model_config = ConfigDict(frozen=True)

    added_tokens: list[_AddedToken] = []
    normalizer: dict[str, Any] | None = None
    pre_tokenizer: dict[str, Any] | None = None
    post_processor: dict[str, Any] | None = None
    model: _Model


def tokenizer_fields(folder: Path, config: Config) -> list[Field]:
    """`tokenizer.*` of the checkpoint in this folder. Raises Unsupported for tokenizers that llama.cpp would compute
    otherwise, and SourceError for files that are missing or unsound.
    """
    tokenizer, settings = _read(folder), _json_if_there(folder / "tokenizer_config.json")
    added = _added_tokens(tokenizer, settings)
    name = pretokenizer_name(tokenizer.pre_tokenizer, [token.content for token in added.values()])
    _check(tokenizer, name)
    tokens, types = _tokens(tokenizer, added, _vocabulary_size(config, tokenizer, added))
    ids = {token.content: index for index, token in added.items()}
    return [
        Field("tokenizer.ggml.model", "string", "gpt2"),
        Field("tokenizer.ggml.pre", "string", name),
        Field("tokenizer.ggml.tokens", "[string]", tokens),
        Field("tokenizer.ggml.token_type", "[i32]", types),
        Field("tokenizer.ggml.merges", "[string]", _merges(tokenizer.model.merges)),
        *_special_tokens(settings, config, ids),
        *_around_texts(tokenizer, settings),
        *_fill_in_middle(ids),
        *_chat_template(folder, settings),
    ]


def no_tokenizer_fields() -> list[Field]:
    """For a checkpoint that comes without one; llama.cpp then takes and gives token ids alone."""
    return [Field("tokenizer.ggml.model", "string", "none")]


def _read(folder: Path) -> _Tokenizer:
    path = folder / "tokenizer.json"
    if not path.is_file():
        other = next((name for name in ("tokenizer.model", "vocab.json") if (folder / name).is_file()), None)
        if other is not None:
            raise Unsupported(f"the tokenizer in {folder / other} cannot be converted; only a tokenizer.json can")
        raise SourceError(f"there is no tokenizer.json in {folder}")
    whole = read_json_object(path, _LARGEST)
    model = whole.get("model")
    kind = model.get("type", "BPE") if isinstance(model, dict) else "BPE"
    if kind != "BPE":
        raise Unsupported(f"a tokenizer of the kind {kind} cannot be converted, only byte-level BPE")
    try:
        return _Tokenizer.model_validate(whole)
    except ValidationError as exc:
        first = exc.errors()[0]
        raise SourceError(f"{path}: {'.'.join(map(str, first['loc']))[:80]}: {first['msg']}") from exc


def _check(tokenizer: _Tokenizer, name: str) -> None:
    model = tokenizer.model
    refused = (
        (model.byte_fallback, "falls back to bytes, as SentencePiece's do"),
        (bool(model.continuing_subword_prefix or model.end_of_word_suffix), "marks the pieces of a word"),
        (model.ignore_merges and name != "llama-bpe", f"takes whole words first, which llama.cpp does not for {name}"),
        (name == "deepseek-llm" and _joins_digits(model.merges), "joins digits, which it is trained to keep apart"),
        (not _leaves_text_alone(tokenizer.normalizer), "changes text before it cuts it"),
    )
    for wrong, what in refused:
        if wrong:
            raise Unsupported(f"the tokenizer {what}; it would be converted wrongly")


def _joins_digits(merges: Sequence[str] | Sequence[tuple[str, str]]) -> bool:
    """llama.cpp keeps the digits of a number together where deepseek-llm cuts them apart: the same without merges."""
    return any("".join(merge).replace(" ", "").isdecimal() for merge in merges)


def _leaves_text_alone(normalizer: Mapping[str, Any] | None) -> bool:
    """NFC counts as nothing: llama.cpp leaves it out, and source code is composed already."""
    if normalizer is None or normalizer.get("type") == "NFC":
        return True
    return normalizer.get("type") == "Sequence" and all(
        isinstance(inner, dict) and _leaves_text_alone(inner) for inner in _list(normalizer, "normalizers")
    )


def _json_if_there(path: Path) -> dict[str, Any]:
    return read_json_object(path, _LARGEST) if path.is_file() else {}


# Tokens and merges.


def _added_tokens(tokenizer: _Tokenizer, settings: Mapping[str, Any]) -> dict[int, _AddedToken]:
    """By id: those of tokenizer.json, and those that only tokenizer_config.json has."""
    found = {token.id: token for token in tokenizer.added_tokens}
    said = settings.get("added_tokens_decoder")
    for key, entry in (said if isinstance(said, dict) else {}).items():
        if key.isdecimal() and isinstance(entry, dict) and isinstance(entry.get("content"), str):
            token = _AddedToken(id=int(key), content=entry["content"], special=entry.get("special") is True)
            found.setdefault(token.id, token)
    return found


def _vocabulary_size(config: Config, tokenizer: _Tokenizer, added: Mapping[int, _AddedToken]) -> int:
    """How many tokens the embeddings have rows for, which may be more than the tokenizer knows."""
    known = max([*tokenizer.model.vocab.values(), *added, -1]) + 1
    size = config.get("vocab_size", known)
    if not isinstance(size, int) or not known <= size <= _MOST_TOKENS:
        raise SourceError(f"the tokenizer has token ids up to {known - 1}, but config.json a vocab_size of {size}")
    return size


def _tokens(
    tokenizer: _Tokenizer, added: Mapping[int, _AddedToken], size: int
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    tokens = [f"[PAD{index}]" for index in range(size)]
    types = [_UNUSED] * size
    for text, index in tokenizer.model.vocab.items():
        tokens[index], types[index] = text, _NORMAL
    for index, token in added.items():
        special = token.special or _looks_special(token.content)
        tokens[index] = token.content if special else token.content.replace("▁", " ")
        types[index] = _CONTROL if special else _USER_DEFINED
    return tuple(tokens), tuple(types)


def _looks_special(text: str) -> bool:
    """Some models do not mark their control tokens as special; the same texts as in llama.cpp's converter."""
    return text in _LOOK_SPECIAL or any(
        text.startswith(first) and text.endswith(last) for first, last in _SPECIAL_MARKS
    )


def _merges(merges: Sequence[str] | Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """As `a b`; tokenizers writes pairs since 0.20, whose parts may have blanks."""
    return tuple(m if isinstance(m, str) else " ".join(part.replace(" ", _SPACE) for part in m) for m in merges)


# Special tokens.


def _special_tokens(settings: Mapping[str, Any], config: Config, ids: Mapping[str, int]) -> Iterator[Field]:
    for theirs, ours in _ROLES.items():
        index = ids.get(_text(settings.get(f"{theirs}_token")))
        if index is None:
            index = config.get(f"{theirs}_token_id")
        if isinstance(index, int) and not isinstance(index, bool) and index >= 0:
            yield Field(f"tokenizer.ggml.{ours}_token_id", "u32", index)


def _text(token: object) -> str:
    """A token in tokenizer_config.json is its text or an object with it."""
    said = token.get("content") if isinstance(token, dict) else token
    return said if isinstance(said, str) else ""


def _around_texts(tokenizer: _Tokenizer, settings: Mapping[str, Any]) -> list[Field]:
    """Which tokens come before and after every text.

    transformers' LlamaTokenizer makes the post-processor anew from its own settings (by default the first token and
    not the last); the other classes keep what tokenizer.json says.
    """
    bos, eos = _text(settings.get("bos_token")), _text(settings.get("eos_token"))
    if settings.get("tokenizer_class") in _LLAMA_CLASSES:
        before = bos != "" and settings.get("add_bos_token", True) is True
        after = eos != "" and settings.get("add_eos_token", False) is True
    else:
        before, after = _template(tokenizer.post_processor, bos, eos)
    return [
        Field("tokenizer.ggml.add_bos_token", "bool", before),
        Field("tokenizer.ggml.add_eos_token", "bool", after),
    ]


def _template(processor: Mapping[str, Any] | None, bos: str, eos: str) -> tuple[bool, bool]:
    """Whether the post-processor puts the first and the last special token around a text."""
    kind = processor and processor.get("type")
    if processor is None or kind == "ByteLevel":
        return False, False
    if kind == "Sequence":
        found = [_template(inner, bos, eos) for inner in _list(processor, "processors") if isinstance(inner, dict)]
        return any(before for before, _ in found), any(after for _, after in found)
    single = _list(processor, "single") if kind == "TemplateProcessing" else []
    parts = [_text_of_part(part) for part in single]
    if parts.count(None) != 1 or parts not in ([bos, None], [None], [None, eos], [bos, None, eos]):
        raise Unsupported("the tokenizer puts other tokens around a text than its first and its last special token")
    return parts[0] is not None, parts[-1] is not None


def _text_of_part(part: Any) -> str | None:
    """A special token's text; None for the text itself."""
    if not isinstance(part, dict) or "SpecialToken" not in part:
        return None
    token = part["SpecialToken"]
    return str(token.get("id")) if isinstance(token, dict) else ""


def _list(whole: Mapping[str, Any], key: str) -> list[Any]:
    found = whole.get(key)
    return found if isinstance(found, list) else []


def _fill_in_middle(ids: Mapping[str, int]) -> Iterator[Field]:
    for role, texts in _FILL_IN_MIDDLE.items():
        index = next((ids[text] for text in texts if text in ids), None)
        if index is not None:
            yield Field(f"tokenizer.ggml.{role}_token_id", "u32", index)


def _chat_template(folder: Path, settings: Mapping[str, Any]) -> Iterator[Field]:
    """One template, or several by name of which `default` is the one."""
    said = settings.get("chat_template", _template_file(folder))
    if isinstance(said, str):
        said = [{"name": "default", "template": said}]
    named = {
        "".join(char if char.isascii() and char.isalnum() else "_" for char in entry["name"]): entry["template"]
        for entry in (said if isinstance(said, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get("template"), str)
    }
    others = tuple(sorted(name for name in named if name and name != "default"))
    for name in others:
        yield Field(f"tokenizer.chat_template.{name}", "string", named[name])
    if others:
        yield Field("tokenizer.chat_templates", "[string]", others)
    if named.get("default"):
        yield Field("tokenizer.chat_template", "string", named["default"])


def _template_file(folder: Path) -> Any:
    path = folder / "chat_template.jinja"
    if not path.is_file():
        return _json_if_there(folder / "chat_template.json").get("chat_template")
    more = sorted((folder / "additional_chat_templates").glob("*.jinja"))
    files = {"default": path, **{other.stem: other for other in more}}
    try:
        return [{"name": name, "template": file.read_text("utf-8")} for name, file in files.items()]
    except (OSError, UnicodeDecodeError) as exc:
        raise SourceError(f"the chat template in {folder} cannot be read: {exc}") from exc
