"""How a tokenizer cuts text before it merges bytes, recognised by the structure of tokenizer.json.

llama.cpp has these cuts built in and finds them by name (`tokenizer.ggml.pre`; llama-vocab.cpp, llm_tokenizer_bpe).
Its converter learns the name by running the tokenizer on a fixed text; here the steps themselves are compared, which
needs neither the vocabulary nor a library, and cannot take one way of cutting for another that agrees on one text.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gguf_convert.errors import Unsupported

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
_DIGITS, _BYTES, _GPT2 = "each digit", "bytes", "GPT-2's words, then bytes"

# The steps of each known way. Where a pattern ends in an ellipsis its beginning is compared: the classes of letters
# that follow are long, and are published in more than one normal form.
_KNOWN: Mapping[tuple[str, ...], str] = {
    (
        r"\p{N}{1,3}",
        "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"""
        r" ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        _BYTES,
    ): "deepseek-v3",
    (
        r"[\r\n]",
        "\\s?[A-Za-z\u00b5…",
        "\\s?[!-/:-~…",
        r"\s+$",
        _CJK,
        _DIGITS,
        _BYTES,
    ): "deepseek-llm",
    (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _CJK, _DIGITS, _BYTES): "deepseek-coder",
    (f"{_CONTRACTIONS}|{_WORDS}|\\p{{N}}{{1,3}}|{_REST}", _BYTES): "llama-bpe",
    (f"{_CONTRACTIONS}|{_WORDS}|\\p{{N}}|{_REST}", _BYTES): "qwen2",
    (_DIGITS, _GPT2): "smollm",
    (_GPT2,): "gpt-2",
}

# llama.cpp has a second name for Qwen's cuts in DeepSeek's distills; both are computed alike.
_DISTILLED = {"qwen2": "deepseek-r1-qwen"}
_DEEPSEEK = "<｜begin▁of▁sentence｜>"


def pretokenizer_name(pre_tokenizer: object, added: Iterable[str]) -> str:
    """llama.cpp's name of these cuts; `added` are the texts of the added tokens. Raises Unsupported for others."""
    steps = tuple(_steps(pre_tokenizer))
    for known, name in _KNOWN.items():
        if len(known) == len(steps) and all(map(_same, known, steps)):
            return _DISTILLED.get(name, name) if _DEEPSEEK in added else name
    raise Unsupported(
        f"tokenizer.json cuts text in a way that is not among the known ones ({', '.join(_KNOWN.values())}): "
        f"{' | '.join(step[:40] for step in steps) or 'not at all'}"
    )


def _steps(step: object) -> Iterator[str]:
    """Each step as text. What cannot be one of the known ones is given by the name of its kind."""
    if not isinstance(step, dict):
        return
    kind = step.get("type")
    if kind == "Sequence":
        inner = step.get("pretokenizers")
        for one in inner if isinstance(inner, list) else ():
            yield from _steps(one)
    elif kind == "Split":
        yield _pattern(step)
    elif kind == "Digits" and step.get("individual_digits") is True:
        yield _DIGITS
    elif kind == "ByteLevel" and step.get("add_prefix_space") is not True:
        yield _GPT2 if step.get("use_regex", True) else _BYTES
    else:
        yield f"{kind} with these settings"


def _pattern(step: Mapping[str, Any]) -> str:
    said = step.get("pattern")
    pattern = said.get("Regex") if isinstance(said, dict) else None
    if not isinstance(pattern, str) or step.get("behavior") not in ("Isolated", "Removed") or not _keeps_all(step):
        return "Split with these settings"
    return pattern.replace("\r", r"\r").replace("\n", r"\n")


def _keeps_all(step: Mapping[str, Any]) -> bool:
    """Text is cut at the matches and nothing is thrown away: matches alone (Isolated), or all but them removed."""
    return bool(step["behavior"] == "Removed") == bool(step.get("invert"))


def _same(known: str, step: str) -> bool:
    return step.startswith(known[:-1]) if known.endswith("…") else step == known
