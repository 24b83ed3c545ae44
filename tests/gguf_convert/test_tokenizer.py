"""Tokenizers as metadata. What llama.cpp's own converter makes of them is compared in test_metadata_as_llama_cpp.py."""

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gguf_convert.errors import ConversionError, SourceError, Unsupported
from gguf_convert.fields import FieldValue
from gguf_convert.tokenizer import no_tokenizer_fields, tokenizer_fields
from tests.reference.tokenizers import BYTE_LEVEL, BYTES_ONLY, TOKENIZERS, write_tokenizer

Json = dict[str, Any]
_CONFIG = {"vocab_size": 520}


def _written(folder: Path, name: str = "deepseek-v3", change: Callable[[Json, Json], None] | None = None) -> Path:
    """A folder with a tiny tokenizer of this family, its two files changed."""
    write_tokenizer(TOKENIZERS[name], folder)
    paths = folder / "tokenizer.json", folder / "tokenizer_config.json"
    tokenizer, settings = (json.loads(path.read_text("utf-8")) for path in paths)
    if change is not None:
        change(tokenizer, settings)
    for path, whole in zip(paths, (tokenizer, settings), strict=True):
        path.write_text(json.dumps(whole), "utf-8")
    return folder


def _fields(folder: Path, config: Json | None = None) -> dict[str, FieldValue]:
    return {
        field.key.removeprefix("tokenizer.ggml."): field.value for field in tokenizer_fields(folder, config or _CONFIG)
    }


@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_cuts_are_recognised(name: str, tmp_path: Path) -> None:
    assert _fields(_written(tmp_path, name))["pre"] == TOKENIZERS[name].pre


_KNOWN_CUTS: tuple[tuple[str, Json], ...] = (
    ("gpt-2", BYTE_LEVEL),
    (
        "deepseek-coder",
        {
            "type": "Sequence",
            "pretokenizers": [
                *(
                    {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
                    for pattern in ("[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+")
                ),
                {"type": "Digits", "individual_digits": True},
                BYTES_ONLY,
            ],
        },
    ),
)


@pytest.mark.parametrize(("name", "cuts"), _KNOWN_CUTS)
def test_more_cuts_are_recognised(name: str, cuts: Json, tmp_path: Path) -> None:
    def change(tokenizer: Json, _: Json) -> None:
        tokenizer["pre_tokenizer"] = cuts

    assert _fields(_written(tmp_path, "deepseek-v3", change))["pre"] == name


def test_a_matching_pattern_may_be_written_as_what_is_removed(tmp_path: Path) -> None:
    """tokenizers writes Qwen's and Llama's cut in both ways; the pieces are the same."""

    def change(tokenizer: Json, _: Json) -> None:
        tokenizer["pre_tokenizer"]["pretokenizers"][0] |= {"behavior": "Removed", "invert": True}

    assert _fields(_written(tmp_path, "qwen2", change))["pre"] == "qwen2"


_CHANGED_CUTS: tuple[Callable[[Json], None], ...] = (
    lambda cuts: cuts["pretokenizers"].pop(0),
    lambda cuts: cuts["pretokenizers"].reverse(),
    lambda cuts: cuts["pretokenizers"].append({"type": "Whitespace"}),
    lambda cuts: cuts["pretokenizers"][0].update(behavior="MergedWithNext"),
    lambda cuts: cuts["pretokenizers"][0].update(behavior="Removed"),
    lambda cuts: cuts["pretokenizers"][0].update(pattern={"String": "1"}),
    lambda cuts: cuts["pretokenizers"][0].update(pattern={"Regex": r"\p{N}{1,2}"}),
    lambda cuts: cuts["pretokenizers"][-1].update(add_prefix_space=True),
    lambda cuts: cuts["pretokenizers"][-1].update(use_regex=True),
    lambda cuts: cuts.update(type="Metaspace"),
    lambda cuts: cuts.clear(),
)


@pytest.mark.parametrize("change", _CHANGED_CUTS)
def test_other_cuts_are_refused(change: Callable[[Json], None], tmp_path: Path) -> None:
    folder = _written(tmp_path, "deepseek-v3", lambda tokenizer, _: change(tokenizer["pre_tokenizer"]))
    with pytest.raises(Unsupported, match="not among the known ones"):
        tokenizer_fields(folder, _CONFIG)


_REFUSED: tuple[tuple[Callable[[Json, Json], None], type[ConversionError], str], ...] = (
    (lambda t, _: t["model"].update(type="Unigram"), Unsupported, "Unigram"),
    (lambda t, _: t["model"].update(type="WordPiece"), Unsupported, "WordPiece"),
    (lambda t, _: t["model"].update(byte_fallback=True), Unsupported, "SentencePiece"),
    (lambda t, _: t["model"].update(end_of_word_suffix="</w>"), Unsupported, "marks the pieces"),
    (lambda t, _: t["model"].update(ignore_merges=True), Unsupported, "whole words first"),
    (lambda t, _: t.update(normalizer={"type": "Lowercase"}), Unsupported, "changes text"),
    (lambda t, _: t["model"].pop("vocab"), SourceError, "vocab"),
    (lambda t, _: t["model"].update(vocab={"a": -1}), SourceError, "vocab"),
    (lambda t, _: t["model"].update(merges=[["a", "b", "c"]]), SourceError, "merges"),
    (lambda t, _: t["model"].update(vocab={"a": 520}), SourceError, "token ids up to 520"),
    (lambda t, _: t.pop("model"), SourceError, "model"),
    (lambda t, _: t.update(added_tokens=[{"id": 5}]), SourceError, "content"),
)


@pytest.mark.parametrize(("change", "error", "said"), _REFUSED)
def test_refused(change: Callable[[Json, Json], None], error: type[ConversionError], said: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=said) as caught:
        tokenizer_fields(_written(tmp_path, "deepseek-v3", change), _CONFIG)
    assert "\n" not in str(caught.value)


def test_digits_that_are_cut_apart_are_not_joined(tmp_path: Path) -> None:
    def change(tokenizer: Json, _: Json) -> None:
        tokenizer["model"]["merges"].append("1 2")

    with pytest.raises(Unsupported, match="joins digits"):
        tokenizer_fields(_written(tmp_path, "deepseek-llm", change), _CONFIG)


def test_tokens_and_their_types(tmp_path: Path) -> None:
    def change(tokenizer: Json, settings: Json) -> None:
        tokenizer["added_tokens"].append({"id": 505, "content": "▁two▁words", "special": False})
        settings["added_tokens_decoder"]["507"] = {"content": "<é😀>", "special": True}

    fields = _fields(_written(tmp_path, "deepseek-v3", change))
    tokens, types = fields["tokens"], fields["token_type"]
    assert isinstance(tokens, tuple)
    assert isinstance(types, tuple)
    kinds = dict(zip(tokens, types, strict=True))
    assert len(tokens) == 520
    assert kinds["!"] == 1, "normal"
    assert kinds["<｜fim▁begin｜>"] == 3, "looks like a control token, is not marked as one"
    assert kinds["<think>"] == 4, "user-defined"
    assert kinds[" two words"] == 4, "blanks are written out"
    assert kinds["<é😀>"] == 3, "only in tokenizer_config.json"
    assert tokens[519] == "[PAD519]"
    assert types[519] == 5, "unused"


def test_merges_are_the_same_in_both_forms(tmp_path: Path) -> None:
    plain, paired = tmp_path / "plain", tmp_path / "paired"
    for folder in (plain, paired):
        folder.mkdir()

    def in_pairs(tokenizer: Json, _: Json) -> None:
        tokenizer["model"]["merges"] = [merge.split(" ") for merge in tokenizer["model"]["merges"]] + [["a b", "c"]]

    both = [_fields(_written(plain)), _fields(_written(paired, "deepseek-v3", in_pairs))]
    first, second = (fields["merges"] for fields in both)
    assert isinstance(first, tuple)
    assert second == (*first, "aĠb c")


_LLAMA = {"tokenizer_class": "LlamaTokenizerFast"}
_AROUND: tuple[tuple[str, Json, tuple[bool, bool]], ...] = (
    ("deepseek-v3", {}, (True, False)),
    ("deepseek-v3", {"add_bos_token": False}, (False, False)),
    ("deepseek-v3", {"add_eos_token": True}, (True, True)),
    ("deepseek-v3", {"bos_token": None}, (False, False)),
    ("deepseek-v3", {"tokenizer_class": "PreTrainedTokenizerFast"}, (False, False)),
    ("qwen2", {"add_bos_token": True}, (False, False)),
    ("llama-bpe", {}, (True, False)),
    ("llama-bpe", {"add_bos_token": False}, (True, False)),
    ("llama-bpe", {"add_bos_token": False, **_LLAMA}, (False, False)),
)


@pytest.mark.parametrize(("name", "settings", "around"), _AROUND)
def test_tokens_around_a_text(name: str, settings: Json, around: tuple[bool, bool], tmp_path: Path) -> None:
    """Checked against transformers 4.57.6: only LlamaTokenizer takes it from tokenizer_config.json."""
    fields = _fields(_written(tmp_path, name, lambda _, said: said.update(settings)))
    assert (fields["add_bos_token"], fields["add_eos_token"]) == around


@pytest.mark.parametrize("token", ["<|eot_id|>", "<|reserved_special_token_0|>"])
def test_other_tokens_around_a_text_are_refused(token: str, tmp_path: Path) -> None:
    def change(tokenizer: Json, _: Json) -> None:
        tokenizer["post_processor"]["processors"][1]["single"][0]["SpecialToken"]["id"] = token

    with pytest.raises(Unsupported, match="other tokens around a text"):
        tokenizer_fields(_written(tmp_path, "llama-bpe", change), _CONFIG)


def test_special_tokens_come_from_the_tokenizer_before_the_configuration(tmp_path: Path) -> None:
    fields = _fields(_written(tmp_path, "qwen2"), _CONFIG | {"bos_token_id": 7, "eos_token_id": 8, "pad_token_id": [1]})
    eos = next(index for index, token in enumerate(fields["tokens"]) if token == "<|endoftext|>")  # type: ignore[arg-type]
    assert fields["bos_token_id"] == 7, "the tokenizer has none"
    assert fields["eos_token_id"] == eos
    assert fields["padding_token_id"] == eos
    assert "unknown_token_id" not in fields


def test_fill_in_the_middle_is_written_out(tmp_path: Path) -> None:
    fields = _fields(_written(tmp_path, "qwen2"))
    tokens = fields["tokens"]
    assert isinstance(tokens, tuple)
    named = {key: tokens[value] for key, value in fields.items() if key.startswith("fim_") and isinstance(value, int)}
    assert named == {
        "fim_pre_token_id": "<|fim_prefix|>",
        "fim_suf_token_id": "<|fim_suffix|>",
        "fim_mid_token_id": "<|fim_middle|>",
        "fim_pad_token_id": "<|fim_pad|>",
        "fim_rep_token_id": "<|repo_name|>",
        "fim_sep_token_id": "<|file_sep|>",
    }


def test_chat_templates(tmp_path: Path) -> None:
    folder = _written(tmp_path, "qwen2", lambda _, said: said.pop("chat_template"))
    assert not [key for key in _fields(folder) if "chat" in key]
    (folder / "chat_template.json").write_text('{"chat_template": "from json"}')
    assert _fields(folder)["tokenizer.chat_template"] == "from json"
    (folder / "chat_template.jinja").write_text("é😀{{ messages }}", "utf-8")
    assert _fields(folder)["tokenizer.chat_template"] == "é😀{{ messages }}"
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "tool use.jinja").write_text("tools", "utf-8")
    fields = _fields(folder)
    assert fields["tokenizer.chat_template"] == "é😀{{ messages }}"
    assert fields["tokenizer.chat_template.tool_use"] == "tools"
    assert fields["tokenizer.chat_templates"] == ("tool_use",)


def test_the_template_of_the_configuration_goes_first(tmp_path: Path) -> None:
    several = [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}, {"name": 3}, "no"]
    folder = _written(tmp_path, "qwen2", lambda _, said: said.update(chat_template=several))
    (folder / "chat_template.jinja").write_text("not this one")
    fields = _fields(folder)
    assert (fields["tokenizer.chat_template"], fields["tokenizer.chat_template.rag"]) == ("d", "r")


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("tokenizer.model", Unsupported, "tokenizer.model cannot be converted"),
        ("vocab.json", Unsupported, "vocab.json cannot be converted"),
        ("config.json", SourceError, "no tokenizer.json"),
    ],
)
def test_no_tokenizer(name: str, error: type[ConversionError], said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(error, match=said):
        tokenizer_fields(tmp_path, _CONFIG)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"model": 3}', '{"model": {"vocab": {}, "merges": {}}}', "[" * 9999])
def test_files_that_are_not_tokenizers(text: str, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(ConversionError):
        tokenizer_fields(tmp_path, _CONFIG)


@pytest.mark.parametrize("name", ["llama-bpe", "deepseek-llm"])
def test_whatever_stands_anywhere_in_the_files_is_a_tokenizer_or_an_error(name: str, tmp_path: Path) -> None:
    def small(tokenizer: Json, _: Json) -> None:
        model = tokenizer["model"]
        model["vocab"], model["merges"] = dict(itertools.islice(model["vocab"].items(), 4)), model["merges"][:4]

    folder = _written(tmp_path, name, small)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        whole = json.loads((folder / file).read_text("utf-8"))
        for place in list(_places(whole)):
            for value in (None, 3, "é", [3], {"type": 3}):
                (folder / file).write_text(json.dumps(_with(whole, place, value)), "utf-8")
                with contextlib.suppress(ConversionError):
                    tokenizer_fields(folder, _CONFIG)
        (folder / file).write_text(json.dumps(whole), "utf-8")


def _places(whole: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in a JSON value; of many alike (tokens, merges) the first two."""
    yield place
    if not isinstance(whole, dict | list):
        return
    inside = whole.items() if isinstance(whole, dict) else enumerate(whole)
    for key, value in itertools.islice(inside, 2 if len(whole) > 20 else None):
        yield from _places(value, (*place, key))


def _with(whole: Any, place: tuple[str | int, ...], value: Any) -> Any:
    if not place:
        return value
    changed = whole.copy()
    changed[place[0]] = _with(whole[place[0]], place[1:], value)
    return changed


def test_without_a_tokenizer_only_when_told() -> None:
    [field] = no_tokenizer_fields()
    assert (field.key, field.value) == ("tokenizer.ggml.model", "none")
