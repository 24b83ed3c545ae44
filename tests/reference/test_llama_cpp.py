"""The committed digests are what llama.cpp's converter and quantiser make today. UPDATE_EXPECT=1 writes them anew."""

import os
from pathlib import Path

import pytest

from tests.reference.checkpoints import CHECKPOINTS
from tests.reference.digests import load_digests, save_digests
from tests.reference.reference import llama_digests

pytestmark = [pytest.mark.reference, pytest.mark.process, pytest.mark.timeout(900)]


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_llama_cpp_makes_what_the_digests_say(name: str, tmp_path: Path) -> None:
    made = llama_digests(name, tmp_path)
    if os.environ.get("UPDATE_EXPECT"):
        save_digests(name, made)
    assert made == load_digests(name)
