"""A language's lexis, compiled: one regular expression for code, one for the inside of each string with holes."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from ast_tools.languages import Language
from ast_tools.languages.record import Directives, Lexis, Quote

_ODD_WORD = r"[$@#][\w$\x80-\xff]*"
_OP = r"=>|->|:=|\.\.\.|[-+*/%&|^<>=!@:?~]?=|\*\*|//|&&|\|\||\?\?|\?\.|<<|>>|[^\s\w]"
_BLANKS = r"[ \t\f\v]*"


@dataclass(frozen=True, slots=True)
class Rules:
    """A language's lexis, compiled. `names`: what the groups of `code` stand for, by their numbers."""

    lexis: Lexis
    code: re.Pattern[bytes]
    names: tuple[str, ...]
    operator: re.Pattern[bytes]
    nesting: re.Pattern[bytes] | None
    operand_after: frozenset[bytes]
    directives: "Conditions | None"
    enter: re.Pattern[bytes] | None


@dataclass(frozen=True, slots=True)
class Conditions:
    """A preprocessor's lines, compiled. `line` finds them, and passes over strings and comments."""

    line: re.Pattern[bytes]
    never: re.Pattern[bytes]
    opening: frozenset[bytes]
    other: frozenset[bytes]
    closing: frozenset[bytes]


@cache
def rules(language: Language) -> Rules:
    """The rules of a language, compiled once."""
    lexis = language.lexis
    parts = _parts(language)
    code = compiled(_BLANKS + "()(?:" + "|".join(f"(?:{pattern})()" for _, pattern in parts) + ")")
    return Rules(
        lexis=lexis,
        code=code,
        names=_names(code, [name for name, _ in parts]),
        operator=compiled(_OP),
        nesting=_nesting(language),
        operand_after=_encoded(lexis.operand_after),
        directives=_directives(language, lexis.directives) if lexis.directives is not None else None,
        enter=compiled(lexis.outside[0]) if lexis.outside is not None else None,
    )


def compiled(pattern: str) -> re.Pattern[bytes]:
    """A pattern as bytes, `^` and `$` at the ends of lines."""
    return re.compile(pattern.encode("latin-1"), re.MULTILINE)


def _encoded(words: frozenset[str]) -> frozenset[bytes]:
    return frozenset(word.encode() for word in words)


def _parts(language: Language) -> list[tuple[str, str]]:
    """(name, regular expression) of everything a text may hold, in the order in which it is asked."""
    lexis = language.lexis
    parts: list[tuple[str, str]] = []
    if lexis.stray is not None:
        parts += [("case", rf"{lexis.stray[0]}(?=[ \t])"), ("esac", rf"{lexis.stray[1]}\b")]
    parts += lexis.marks
    # Half of all tokens are words that cannot be the prefix of a string.
    parts.append(("word", rf"(?>{lexis.word})(?![\"'`#])"))
    if lexis.directives is not None:
        parts.append(("directive", directive_line(language, lexis.directives)))
    if lexis.outside is not None:
        parts.append(("leave", lexis.outside[1]))
    parts += comment_parts(language)
    for number, heredoc in enumerate(lexis.heredocs):
        parts.append((f"heredoc{number}", renamed(heredoc.opening, f"h{number}")))
    for number, quote in enumerate(lexis.strings):
        parts += quote_parts(number, quote)
    if lexis.brackets:
        tracked = lexis.stray is not None
        parts += [("tracked" if tracked else "open", r"[(\[{]"), ("tracked" if tracked else "close", r"[)\]}]")]
    parts += [("line" if lexis.heredocs else "newline", r"\r\n|\n|\r"), ("number", lexis.number)]
    return [*parts, ("word", lexis.word), ("word", _ODD_WORD), ("op", _OP)]


def _names(code: re.Pattern[bytes], parts: list[str]) -> tuple[str, ...]:
    """The name of each group's part. A part ends in an empty group, so that it begins with what tells it from others:
    the engine then passes over it by its first byte. Named groups stand within parts."""
    named = set(code.groupindex.values())
    empty = [number for number in range(2, code.groups + 1) if number not in named]
    names = dict(zip(empty, parts, strict=True))
    return tuple(names.get(number, "") for number in range(code.groups + 1))


def comment_parts(language: Language) -> list[tuple[str, str]]:
    """Line and block comments; where one mark begins with the other, the longer is asked first."""
    block, nested = language.block_comment, language.lexis.nested_comments
    parts = []
    if block is not None:
        start, end = re.escape(block[0]), re.escape(block[1])
        whole = [] if nested else [("comment", f"{start}(?s:.*?){end}")]
        parts += [*whole, ("nested" if nested else "endless", start)]
    if language.lexis.comment:
        parts.append(("comment", language.lexis.comment))
    elif block is None or language.line_comment != block[0]:
        parts.append(("comment", re.escape(language.line_comment) + r"[^\r\n]*"))
    return parts


def _nesting(language: Language) -> re.Pattern[bytes] | None:
    if language.block_comment is None or not language.lexis.nested_comments:
        return None
    start, end = (re.escape(mark) for mark in language.block_comment)
    return compiled(f"(?P<start>{start})|{end}")


def renamed(pattern: str, suffix: str) -> str:
    """Names of groups must differ between the strings of a language."""
    return re.sub(r"\(\?P(<|=)(\w+)", rf"(?P\1\2_{suffix}", pattern)


def quote_parts(number: int, quote: Quote) -> list[tuple[str, str]]:
    """The whole string, and its beginning where the end is missing."""
    opening = renamed(quote.opening, str(number))
    if quote.hole or quote.nests:
        return [(f"counted{number}", opening)]
    whole = opening + renamed(body(quote) + quote.closing, str(number))
    if quote.due:
        return [("due", whole)]
    again = re.sub(r"\(\?P<\w+>", "(?:", quote.opening)
    return [("string", whole), ("endless", again) if quote.lines else ("unclosed", again + r"[^\r\n]*")]


def body(quote: Quote) -> str:
    """What may stand between the quotes, in a form that fails in linear time."""
    if len(quote.closing) == 1:
        plain = f"[^{quote.closing}" + ("" if quote.lines else r"\r\n")
        plain += r"\\]*" if quote.escape.startswith(r"\\") else "]*"
        return f"{plain}(?:(?:{quote.escape}){plain})*" if quote.escape else plain
    other = f"(?!{quote.closing})" + (r"(?s:.)" if quote.lines else r"[^\r\n]")
    return f"(?:{quote.escape}|{other})*?" if quote.escape else f"(?:{other})*?"


@lru_cache(maxsize=256)
def inside(quote: Quote, matched: tuple[tuple[str, str], ...]) -> re.Pattern[bytes]:
    """What matters inside a string with holes or pairs: holes before escapes, because a hole may begin with one."""
    parts = [("hole", quote.hole), ("escape", quote.escape), ("nests", quote.nests), ("closing", quote.closing)]
    parts += [] if quote.lines else [("newline", r"[\r\n]")]
    joined = "|".join(f"(?P<{name}>{pattern})" for name, pattern in parts if pattern)
    return compiled(filled(joined, matched))


def filled(pattern: str, matched: tuple[tuple[str, str], ...]) -> str:
    """A pattern with what its opening's groups matched in the place of their names."""
    for name, found in matched:
        pattern = pattern.replace(f"(?P={name})", re.escape(found))
    return pattern


def groups(match: re.Match[bytes], suffix: str) -> tuple[tuple[str, str], ...]:
    """What the named groups of one part matched."""
    named = match.groupdict(b"").items()
    ends = f"_{suffix}"
    return tuple((name.removesuffix(ends), found.decode("latin-1")) for name, found in named if name.endswith(ends))


def directive_line(language: Language, directives: Directives) -> str:
    """A whole line of the preprocessor, with the lines and comments that go on with it."""
    passed = [pattern for _, pattern in _passed(language)]
    passed = [r"\\\r?\n", *passed] if directives.continues else passed
    return rf"{directives.mark}(?:{'|'.join(passed)}|[^\r\n])*"


def _passed(language: Language) -> list[tuple[str, str]]:
    """Comments, and strings without holes and groups."""
    quotes = [quote for quote in language.lexis.strings if not quote.hole and "?P<" not in quote.opening]
    parts = [*comment_parts(language), *(part for quote in quotes for part in quote_parts(0, quote))]
    return [(name, pattern) for name, pattern in parts if name in ("comment", "string")]


def _directives(language: Language, directives: Directives) -> Conditions:
    line = rf"^[ \t]*(?P<line>{directive_line(language, directives)})"
    return Conditions(
        line=compiled("|".join([line, *(pattern for _, pattern in _passed(language))])),
        never=compiled(rf"{directives.mark}[ \t]*\w+[ \t]+{directives.never}"),
        opening=_encoded(directives.opening),
        other=_encoded(directives.other),
        closing=_encoded(directives.closing),
    )
