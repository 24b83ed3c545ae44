"""What a conversion takes: little memory in all its processes together, and little in a worker to begin with."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.convert import watched
from gguf_convert.budget import ELEMENT_BYTES, PARENT_BYTES, SLOT_ELEMENTS, WORKER_BYTES
from tests.gguf_convert.checkpoints import HIDDEN, write_checkpoint

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
_CODE = """
import sys
from pathlib import Path
from gguf_convert.convert import convert
from gguf_convert.source.checkpoint import open_checkpoint
from tests.gguf_convert.checkpoints import toy_order

source, target, slot_rows = sys.argv[1:]
convert(toy_order(open_checkpoint(Path(source)), Path(target), type_name="Q8_0", workers=2, slot_rows=int(slot_rows)))
"""


def test_all_processes_together_keep_to_the_budget(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "source", rows=2**17)
    words = [str(source.folder), str(tmp_path / "out"), str(SLOT_ELEMENTS // HIDDEN)]

    def work() -> None:
        subprocess.run([sys.executable, "-c", _CODE, *words], cwd=ROOT, check=True)

    cost = watched(tmp_path / "out", work)
    promised = PARENT_BYTES + 2 * (WORKER_BYTES + SLOT_ELEMENTS * ELEMENT_BYTES)
    assert promised <= 150e6
    assert 30e6 < cost.memory <= promised
    output = (tmp_path / "out" / "m.gguf").stat().st_size
    assert cost.disk <= 1.02 * output


def test_a_worker_imports_little() -> None:
    code = "import sys, gguf_convert.worker; print(*{name.partition('.')[0] for name in sys.modules})"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"rich", "pydantic", "asyncio", "llama_cpp", "ssl", "multiprocessing"} & set(told.stdout.split())
