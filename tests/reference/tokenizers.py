"""Tokenizers of a few hundred tokens that are cut into words like those of the real models.

Each has the bytes, merges that spell the beginnings of a few words, and the family's own special tokens. They are
written as `tokenizer.json` and `tokenizer_config.json`, in the dialects of the real checkpoints.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORDS = """
    return import self print value index range length string class function static const public private while break
    continue True False None error result append format object number the and for with that this from have not are was
"""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """One family. `pre` is llama.cpp's name of how it cuts words; `special` tokens and `plain` ones are added in order.

    `template` is what the post-processor puts around a text. Merges were written as "a b", and are as pairs since
    tokenizers 0.20.
    """

    pre: str
    pre_tokenizer: Json
    special: tuple[str, ...]
    plain: tuple[str, ...]
    config: Json
    normalizer: Json | None = None
    template: Json | None = None
    merges_in_pairs: bool = False
    size: int = 500


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Writes the two files; token ids are 0 to `size` - 1, the added ones last."""
    merges = list(_merges(tokenizer.size - 256 - len(tokenizer.special) - len(tokenizer.plain)))
    vocabulary = [*byte_letters(), *(left + right for left, right in merges)]
    added = [
        {
            "id": len(vocabulary) + place,
            "content": text,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": text in tokenizer.plain,
            "special": text in tokenizer.special,
        }
        for place, text in enumerate((*tokenizer.special, *tokenizer.plain))
    ]
    whole = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": tokenizer.normalizer,
        "pre_tokenizer": tokenizer.pre_tokenizer,
        "post_processor": _post_processor(tokenizer),
        "decoder": BYTE_LEVEL,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {text: place for place, text in enumerate(vocabulary)},
            "merges": merges if tokenizer.merges_in_pairs else [" ".join(pair) for pair in merges],
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(whole, ensure_ascii=False, indent=1), "utf-8")
    config = tokenizer.config | {
        "added_tokens_decoder": {str(entry["id"]): {k: v for k, v in entry.items() if k != "id"} for entry in added}
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False, indent=1), "utf-8")


def token_id(tokenizer: Tokenizer, text: str) -> int:
    """The id of an added token."""
    added = (*tokenizer.special, *tokenizer.plain)
    return tokenizer.size - len(added) + added.index(text)


def _post_processor(tokenizer: Tokenizer) -> Json:
    bytes_first = BYTE_LEVEL | {"trim_offsets": False}
    if tokenizer.template is None:
        return bytes_first
    return {"type": "Sequence", "processors": [bytes_first, tokenizer.template]}


def _template(first: str, place: int) -> Json:
    """Puts the token `first` before every text."""
    begin, text = {"SpecialToken": {"id": first, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    second = [{name: part[name] | {"type_id": 1} for name in part} for part in (begin, {"Sequence": {"id": "B"}})]
    return {
        "type": "TemplateProcessing",
        "single": [begin, text],
        "pair": [begin, text, *second],
        "special_tokens": {first: {"id": first, "ids": [place], "tokens": [first]}},
    }


def byte_letters() -> list[str]:
    """The letters that stand for the bytes in GPT-2: printable ones for themselves, the rest from U+0100 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = len(set(range(256)) - set(printable))
    return [chr(byte) for byte in printable] + [chr(256 + place) for place in range(others)]


def _merges(count: int) -> Iterator[tuple[str, str]]:
    """Pairs that spell ever longer beginnings of the words, each once, with and without a blank before."""
    seen: set[str] = set()
    for word in (form for plain in WORDS.split() for form in (f"Ġ{plain}", plain)):
        for end in range(2, len(word) + 1):
            if word[:end] in seen:
                continue
            if len(seen) == count:
                return
            seen.add(word[:end])
            yield word[: end - 1], word[end - 1]
    raise AssertionError(f"the words give only {len(seen)} merges")


BYTE_LEVEL: Json = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
BYTES_ONLY: Json = BYTE_LEVEL | {"use_regex": False}


def _split(*patterns: str) -> Json:
    """Cuts at each pattern in turn; every match is a piece."""
    cuts = [
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
        for pattern in patterns
    ]
    return {"type": "Sequence", "pretokenizers": [*cuts, BYTES_ONLY]}


_CASED_LETTERS = (
    "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370"
    "-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-"
    "\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-"
    "\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-"
    "\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4"
    "\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a"
    "-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-"
    "\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-"
    "\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-"
    "\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-"
    "\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943"
)
"""Letters that have a case; escaped, because editors compose some of them."""


def _deepseek_llm() -> Json:
    cuts = _split(
        "[\r\n]",
        rf"\s?[{_CASED_LETTERS}]+",
        "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
        r"\s+$",
        "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+",
    )
    cuts["pretokenizers"].insert(-1, {"type": "Digits", "individual_digits": True})
    return cuts


def _token(text: str) -> Json:
    """A special token as DeepSeek's tokenizer_config.json writes it."""
    flags = {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    return {"__type": "AddedToken", "content": text} | flags


_NUMBERS_BY_THREE = r"\p{N}{1,3}"
_CHAT = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"

_DEEPSEEK_CONFIG: Json = {
    "add_bos_token": True,
    "add_eos_token": False,
    "bos_token": _token("<｜begin▁of▁sentence｜>"),
    "clean_up_tokenization_spaces": False,
    "eos_token": _token("<｜end▁of▁sentence｜>"),
    "legacy": True,
    "model_max_length": 16384,
    "pad_token": _token("<｜end▁of▁sentence｜>"),
    "sp_model_kwargs": {},
    "tokenizer_class": "LlamaTokenizerFast",
    "unk_token": None,
    "use_default_system_prompt": False,
    "chat_template": _CHAT,
}
_DEEPSEEK_FIM = ("<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>")
_DEEPSEEK_ENDS = ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>")

_QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

TOKENIZERS = {
    "deepseek-llm": Tokenizer(
        pre="deepseek-llm",
        pre_tokenizer=_deepseek_llm(),
        special=_DEEPSEEK_ENDS,
        plain=(*_DEEPSEEK_FIM, "<｜User｜>", "<｜Assistant｜>"),
        config=_DEEPSEEK_CONFIG,
    ),
    "deepseek-v3": Tokenizer(
        pre="deepseek-v3",
        pre_tokenizer=_split(
            _NUMBERS_BY_THREE,
            "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
            "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
        ),
        special=_DEEPSEEK_ENDS,
        plain=(*_DEEPSEEK_FIM, "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"),
        config=_DEEPSEEK_CONFIG,
    ),
    "deepseek-r1-qwen": Tokenizer(
        pre="deepseek-r1-qwen",
        merges_in_pairs=True,
        pre_tokenizer=_split(_QWEN_PATTERN),
        normalizer={"type": "NFC"},
        special=_DEEPSEEK_ENDS,
        plain=(
            "<｜User｜>",
            "<｜Assistant｜>",
            "<think>",
            "</think>",
            "<|fim_prefix|>",
            "<|fim_middle|>",
            "<|fim_suffix|>",
        ),
        config=_DEEPSEEK_CONFIG,
    ),
    "qwen2": Tokenizer(
        pre="qwen2",
        pre_tokenizer=_split(_QWEN_PATTERN),
        normalizer={"type": "NFC"},
        special=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        plain=(
            "<tool_call>",
            "</tool_call>",
            "<|fim_prefix|>",
            "<|fim_middle|>",
            "<|fim_suffix|>",
            "<|fim_pad|>",
            "<|repo_name|>",
            "<|file_sep|>",
        ),
        config={
            "add_bos_token": False,
            "add_prefix_space": False,
            "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
            "bos_token": None,
            "chat_template": _CHAT,
            "clean_up_tokenization_spaces": False,
            "eos_token": "<|endoftext|>",
            "errors": "replace",
            "model_max_length": 32768,
            "pad_token": "<|endoftext|>",
            "split_special_tokens": False,
            "tokenizer_class": "Qwen2Tokenizer",
            "unk_token": None,
        },
    ),
    "llama-bpe": Tokenizer(
        pre="llama-bpe",
        pre_tokenizer=_split(_QWEN_PATTERN.replace(r"\p{N}|", _NUMBERS_BY_THREE + "|")),
        special=("<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|eot_id|>"),
        plain=(),
        template=_template("<|begin_of_text|>", 496),
        config={
            "bos_token": "<|begin_of_text|>",
            "chat_template": _CHAT,
            "clean_up_tokenization_spaces": True,
            "eos_token": "<|eot_id|>",
            "model_input_names": ["input_ids", "attention_mask"],
            "model_max_length": 131072,
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
    ),
    "smollm": Tokenizer(
        pre="smollm",
        pre_tokenizer={
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, BYTE_LEVEL],
        },
        special=("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<file_sep>"),
        plain=(),
        size=512,
        config={
            "add_prefix_space": False,
            "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
            "bos_token": "<|im_start|>",
            "chat_template": _CHAT,
            "clean_up_tokenization_spaces": False,
            "eos_token": "<|im_end|>",
            "model_max_length": 8192,
            "pad_token": "<|im_end|>",
            "tokenizer_class": "GPT2Tokenizer",
            "unk_token": "<|endoftext|>",
            "vocab_size": 512,
        },
    ),
}
