"""How many workers, and how much each makes at a time, within the memory that the user allows."""

import os
from dataclasses import dataclass
from typing import Final

from gguf_convert.errors import ConversionError
from gguf_convert.plan import Plan

PARENT_BYTES: Final = 36 * 10**6
SOURCE_BYTES: Final = 900
"""The parent's memory, and what it grows by for each tensor of the checkpoint (80 MB for R1's 91,000)."""
WORKER_BYTES: Final = 20 * 10**6
ELEMENT_BYTES: Final = 24
"""A worker's memory, and what it takes for each element of its slot: as stored, as floats, as indices of a table, as
written. Anonymous memory, as measured; `make bench-convert` prints what a whole conversion took.
"""
SLOT_ELEMENTS: Final = 2**20
"""4 MB of floats: fits a core's cache, and is a second of work for the slowest type."""
_SMALLEST_SLOT: Final = 2**16


@dataclass(frozen=True, slots=True)
class Budget:
    """`slot_elements` is what one worker makes at a time, `memory` what all processes together take, in bytes."""

    workers: int
    slot_elements: int
    memory: int


def budget_for(plan: Plan, n_sources: int, *, workers: int | None = None, max_memory: int | None = None) -> Budget:
    """The wanted workers (one for each core, unless said), or as many of them as the memory is enough for. `n_sources`
    is how many tensors the checkpoint has.

    Raises ConversionError when it is not enough for one.
    """
    wanted = workers or _cores()
    least = max((tensor.target.source.unit * tensor.target.row_length for tensor in plan.tensors), default=1)
    for count in range(wanted, 0, -1):
        for elements in (SLOT_ELEMENTS, SLOT_ELEMENTS // 4, _SMALLEST_SLOT):
            memory = (
                PARENT_BYTES + n_sources * SOURCE_BYTES + count * (WORKER_BYTES + max(elements, least) * ELEMENT_BYTES)
            )
            if max_memory is None or memory <= max_memory:
                return Budget(count, elements, memory)
    raise ConversionError(f"{(max_memory or 0) / 1e6:,.0f} MB are not enough; one worker takes {memory / 1e6:,.0f} MB")


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
