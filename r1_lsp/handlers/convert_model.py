"""The command r1.convertModel: [source, target, type]. Makes a GGUF file of a checkpoint, with a progress bar."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from r1_lsp.features.conversion import ConversionFailed, Wish, convert
from r1_lsp.handlers.command_arguments import named
from r1_lsp.session import Failed, Session

_KEYS = ("source", "target", "type")
_USUAL_TYPE = "Q4_K_M"


async def convert_model(session: Session, arguments: Sequence[Any]) -> dict[str, Any]:
    """What was made: {files, size}. Raises Failed with one sentence."""
    wish = _wish(named(arguments, _KEYS))
    async with session.progress(f"Converting {Path(wish.source).name} to {wish.type}", cancellable=True) as bar:
        try:
            converted = await convert(wish, bar.report)
        except ConversionFailed as exc:
            raise Failed(str(exc)) from exc
    return {"files": list(converted.files), "size": converted.size}


def _wish(given: dict[str, Any]) -> Wish:
    source, target, kind = (given[key] for key in _KEYS)
    if not isinstance(source, str) or not isinstance(target, str) or not source or not target:
        raise Failed("r1.convertModel wants the folder of a checkpoint and the GGUF file to make.")
    for path in (source, target):
        if not Path(path).expanduser().is_absolute():
            raise Failed(f"r1.convertModel wants whole paths; {path} is none.")
    return Wish(
        source=str(Path(source).expanduser()),
        target=str(Path(target).expanduser()),
        type=kind if isinstance(kind, str) and kind else _USUAL_TYPE,
    )
