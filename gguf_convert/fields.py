"""Metadata of a GGUF file as values: a key, the type it is written in, and the value."""

from dataclasses import dataclass

FieldValue = int | float | bool | str | tuple[int, ...] | tuple[float, ...] | tuple[bool, ...] | tuple[str | bytes, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One metadata entry. `type` is GGUF's: u8 i8 u16 i16 u32 i32 f32 bool string u64 i64 f64, or `[T]` for an
    array of T.
    """

    key: str
    type: str
    value: FieldValue
