"""Work spread over processes, with a progress bar on stderr."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PROCESSES = 2

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(
    work: Callable[[Item], Result], items: Iterable[Item], title: str, *, processes: int = PROCESSES
) -> Iterator[tuple[Item, Result]]:
    """(item, what `work` made of it), as they are done. `work` and its results must be picklable.

    Trees cannot leave their process, so work returns plain records. An exception in `work` ends it all.
    """
    todo = list(items)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
        ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool,
    ):
        task = progress.add_task(title, total=len(todo))
        futures = {pool.submit(work, item): item for item in todo}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
                progress.advance(task)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
