"""Text is cut by llama.cpp, with the name the converter finds, as transformers' library cuts it by tokenizer.json."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gguf_convert.fields import Field
from gguf_convert.header import encode_header
from gguf_convert.tokenizer import tokenizer_fields
from tests.reference.cuts import families, load_ids, save_ids, texts, write_cuts
from tests.reference.setup import PYTHON


@pytest.mark.process
@pytest.mark.parametrize("family", families())
def test_llama_cpp_finds_the_same_token_ids(family: str, tmp_path: Path) -> None:
    write_cuts(family, tmp_path)
    fields = tokenizer_fields(tmp_path, {})
    assert {field.key: field.value for field in fields}["tokenizer.ggml.pre"] == family
    file = tmp_path / "vocabulary.gguf"
    file.write_bytes(encode_header([Field("general.architecture", "string", "llama"), *fields], []))
    known = load_ids(family)
    found = _program(Path(sys.executable), "llama_tokens.py", {"file": str(file), "texts": [text for text, _ in known]})
    assert [(text, ids) for (text, _), ids in zip(known, found, strict=True)] == known


@pytest.mark.parametrize("family", families())
def test_the_ids_are_those_of_the_texts(family: str) -> None:
    known = load_ids(family)
    assert [text for text, _ in known] == texts()
    others = {json.dumps(load_ids(other)) for other in families() if other != family}
    same = {"qwen2": "deepseek-r1-qwen", "deepseek-r1-qwen": "qwen2"}
    assert family in same or json.dumps(known) not in others, "the texts tell the families apart"


@pytest.mark.reference
@pytest.mark.parametrize("family", families())
def test_the_ids_are_those_of_the_library(family: str, tmp_path: Path) -> None:
    job = {"tokenizer": str(write_cuts(family, tmp_path)), "texts": texts()}
    ids = _program(PYTHON, "hf_tokens.py", job)
    if os.environ.get("UPDATE_EXPECT"):
        save_ids(family, ids)
    assert [found for _, found in load_ids(family)] == ids


def _program(python: Path, name: str, job: Any) -> list[list[int]]:
    program = [python, "-I", Path(__file__).with_name(name)]
    done = subprocess.run(program, input=json.dumps(job), capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[list[int]] = json.loads(done.stdout)
    return found
