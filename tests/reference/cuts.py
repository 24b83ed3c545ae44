"""Tokenizers whose token ids show where a text was cut: every two letters of a small alphabet are joined, unless a cut
lies between them. They have the cuts and normalizers of the real families, and no other likeness with them.
"""

import itertools
import json
import random
from pathlib import Path

from tests.reference.tokenizers import BYTE_LEVEL, BYTES_ONLY, TOKENIZERS, Json, byte_letters

HOME = Path(__file__).resolve().parent / "token_ids"
"""What tokenizers (the library of transformers) makes of the texts, one file for each family."""

_ALPHABET = "aStLve19 \n\r\t.'(_-é日ひ한\u0301½"
_HAND_MADE = (
    "def f(a):\n    return 19.1\n",
    "a's it'll a'S IT'LL we'Ve 'st",
    "x = 1234567 + 89",
    "  \n \n\n  a",
    "a  \t\t  ",
    "\r\n\r\na\r\n",
    "(((...)))--__''",
    "日本 ひらがな 한국 é ½½ 1½",
    "aé日1ひ한a日é1",
    "_a._a_(a)-a",
)


def families() -> dict[str, Json]:
    """The cuts of each family by llama.cpp's name for them, with the normalizer that comes with them."""
    known = {
        name: {"pre_tokenizer": tokenizer.pre_tokenizer, "normalizer": tokenizer.normalizer}
        for name, tokenizer in TOKENIZERS.items()
    }
    cuts = ("[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+")
    splits = [{"type": "Split", "pattern": {"Regex": cut}, "behavior": "Isolated", "invert": False} for cut in cuts]
    steps = [*splits, {"type": "Digits", "individual_digits": True}, BYTES_ONLY]
    known["deepseek-coder"] = {"pre_tokenizer": {"type": "Sequence", "pretokenizers": steps}, "normalizer": None}
    known["gpt-2"] = {"pre_tokenizer": BYTE_LEVEL, "normalizer": None}
    return known


def write_cuts(family: str, folder: Path) -> Path:
    """Writes a tokenizer.json with the cuts of this family, and returns its path."""
    letters = byte_letters()
    merges = _merges(numbers=family != "deepseek-llm")
    vocabulary = [*letters, *map("".join, merges)]
    special = "<｜begin▁of▁sentence｜>" if family.startswith("deepseek") else "<|begin|>"
    whole = {
        "version": "1.0",
        "added_tokens": [{"id": len(vocabulary), "content": special, "special": True} | _PLAIN],
        **families()[family],
        "post_processor": None,
        "decoder": BYTE_LEVEL,
        "model": {
            "type": "BPE",
            "vocab": {text: place for place, text in enumerate(vocabulary)},
            "merges": [" ".join(merge) for merge in merges],
        },
    }
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(whole), "utf-8")
    return path


def texts() -> list[str]:
    """Made by hand, and drawn from the alphabet; none has letters in two pieces, which llama.cpp does not compose."""
    dice = random.Random("cuts")
    letters = _ALPHABET.replace("\u0301", "")
    drawn = ["".join(dice.choices(letters, k=dice.randint(2, 24))) for _ in range(60)]
    return [*_HAND_MADE, *drawn]


def load_ids(family: str) -> list[tuple[str, list[int]]]:
    """Texts with their token ids."""
    lines = (HOME / f"{family}.json").read_text("utf-8").splitlines()
    return [(text, ids) for text, ids in map(json.loads, lines)]


def save_ids(family: str, ids: list[list[int]]) -> None:
    """Writes what `load_ids` reads."""
    HOME.mkdir(exist_ok=True)
    lines = [json.dumps(pair, ensure_ascii=False) for pair in zip(texts(), ids, strict=True)]
    (HOME / f"{family}.json").write_text("\n".join(lines) + "\n", "utf-8")


_PLAIN = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


def _merges(*, numbers: bool) -> list[tuple[str, str]]:
    """Every pair of letters of the alphabet, as bytes are written; without `numbers`, none within a number: llama.cpp
    leaves numbers whole for deepseek-llm, whose real vocabulary joins nothing in them.
    """
    letters = byte_letters()
    order = [byte for byte in range(256) if chr(byte).isprintable() and byte not in (32, 127, 160, 173)]
    order += [byte for byte in range(256) if byte not in order]
    of_byte = {byte: letters[place] for place, byte in enumerate(order)}
    used = dict.fromkeys(of_byte[byte] for byte in _ALPHABET.encode())
    within = {of_byte[byte] for byte in "19½".encode()}
    return [pair for pair in itertools.product(used, repeat=2) if numbers or not within.issuperset(pair)]
