"""What a file says about the model and its tokens, against what its source says."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from gguf_convert.checks.findings import Finding
from gguf_convert.fields import Field
from gguf_convert.inspect import printable

CHECK: Final = "metadata"
_LONGEST: Final = 60


def check_metadata(found: Mapping[str, Field], wanted: Iterable[Field]) -> Iterator[Finding]:
    """Compares values, and not the types of integers they are written in: converters differ in these."""
    for field in wanted:
        if field.key not in found:
            yield Finding(CHECK, f"{field.key} is missing; the source says {_shown(field.value)}")
        elif difference := _difference(found[field.key], field):
            yield Finding(CHECK, f"{field.key} is {difference}")


def _difference(found: Field, wanted: Field) -> str | None:
    here, there = _plain(found), _plain(wanted)
    if here == there:
        return None
    if not isinstance(here, tuple) or not isinstance(there, tuple):
        return f"{_shown(here)}, but {_shown(there)} in the source"
    if len(here) != len(there):
        return f"a list of {len(here)}, but of {len(there)} in the source"
    different = [number for number, pair in enumerate(zip(here, there, strict=True)) if pair[0] != pair[1]]
    first = different[0]
    more = f" ({len(different)} of {len(here)} differ)" if len(different) > 1 else ""
    return f"{_shown(here[first])} at {first}, but {_shown(there[first])} in the source{more}"


def _plain(field: Field) -> Any:
    """Text as bytes, and numbers as rounded as the file has them."""
    kind = field.type.strip("[]")
    several = isinstance(field.value, tuple)
    values: Iterable[Any] = field.value if isinstance(field.value, tuple) else (field.value,)
    if kind == "string":
        values = [value.encode() if isinstance(value, str) else value for value in values]
    elif kind == "f32":
        values = [float(np.float32(value)) for value in values]
    made = tuple(values)
    return made if several else made[0]


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return repr(printable(value, _LONGEST)) if isinstance(value, str) else printable(str(value), _LONGEST)
