"""What is wrong with a text in C or C++ by itself, whatever its macros mean: seen in its tokens and its layout.

Written for texts whose grammar trips over macros: each sign is one that released code (bench/corpora.toml, development
projects) all but never has.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from ast_tools.layout import STEPS, Layout

MACRO = re.compile(rb"_?(?:[A-Za-z]\w*_)?[A-Z][A-Z0-9_]+|__\w+")
"""A word that looks like a macro."""
LONGEST = 200
"""Bytes; a longer word is nobody's name."""
CONSTANTS = frozenset(b"NULL EOF TRUE FALSE".split())
_OPERAND_WORDS = frozenset(b"break continue return this true false nullptr NULL".split())
_BEHIND_PARAMETERS = frozenset(b"const noexcept override final".split())
_ACCESS = frozenset(b"public private protected".split())
_TYPES = frozenset(
    b"void char short int long float double signed unsigned bool const struct union enum static extern typedef "
    b"volatile register auto class virtual explicit inline".split()
)
_RECORDS = frozenset(b"struct union enum class".split())
_NO_PARAMETERS = frozenset(b"static extern typedef virtual explicit".split())
_CLAUSES = frozenset(b"operator and or not xor bitand bitor compl new sizeof".split())
_POINTERS = frozenset(b"* ** & &&".split())
_MANY = 2
"""Calls of one macro that end with a semicolon: enough to say that it needs one."""


def is_macro(layout: Layout, number: int) -> bool:
    """Whether a token looks like a macro's name."""
    text = layout.text(number)
    if layout.kind(number) != "word" or text in CONSTANTS:
        return False
    return len(text) <= LONGEST and MACRO.fullmatch(text) is not None


def open_ends(layout: Layout) -> Iterator[int]:
    """Tokens behind which a semicolon is missing: the statement ends with its line and the next line begins another.

    Calls that stand alone may be macros that need none; where the same word is followed by one elsewhere they are not.
    """
    for number in range(1, len(layout.found) + 1):
        if number < len(layout.found) and not layout.fresh[number]:
            continue
        last = number - 1
        if layout.text(last) == b"}":
            if _ends_record(layout, last) or _ends_list(layout, last):
                yield last
        elif number < len(layout.found) and _ends_operand(layout, last):
            opener = layout.opener.get(number, layout.holder[number])
            ends = _ENDS.get(layout.roles.get(opener, ""))
            if ends is not None and ends(layout, number):
                yield last


def _ends_operand(layout: Layout, number: int) -> bool:
    kind, text = layout.kind(number), layout.text(number)
    if kind == "word":
        behind = text in _BEHIND_PARAMETERS and layout.text(number - 1) == b")"
        return behind or text in _OPERAND_WORDS or not layout.is_keyword(number)
    counts = text in (b"+", b"-") and layout.text(number - 1) == text
    return kind in ("number", "string") or text in (b")", b"]") or counts


def _begins_another(layout: Layout, number: int, first: int) -> bool:
    """Whether a token begins a line that is no continuation of the statement that begins with `first`."""
    if layout.text(number) == b"}":
        return True
    if layout.kind(number) != "word" or layout.text(number) in _CLAUSES:
        return False
    return layout.indent(number) <= layout.indent(first)


def _ends_statement(layout: Layout, number: int) -> bool:
    """Whether a line in a block ends a statement without a semicolon and `number` begins another."""
    first, last = layout.statement(number - 1), number - 1
    if first is None or first > last or not _begins_another(layout, number, first):
        return False
    if is_macro(layout, number) and (layout.text(number + 1) != b"(" or layout.text(number).startswith(b"__")):
        return False
    if first == last:
        return layout.text(last) in _OPERAND_WORDS and layout.text(last) not in CONSTANTS
    if layout.kind(last) == "string" and is_macro(layout, number):
        return False
    if is_macro(layout, last) and layout.kind(last - 1) != "op" and layout.text(last - 1) != b"return":
        return False
    if layout.partner.get(first + 1) == last and layout.kind(first) == "word":
        return layout.text(first) in _OPERAND_WORDS or (not layout.is_keyword(first) and _is_function(layout, first))
    if layout.kind(first) != "word" and layout.text(first) not in (b"*", b"(", b"++", b"--"):
        return False
    return not _is_head_with_macro(layout, first, last)


def _is_head_with_macro(layout: Layout, first: int, last: int) -> bool:
    """`MACRO name` or `MACRO(one) name`: who knows what it is."""
    return is_macro(layout, first) and all(layout.text(at) != b"=" for at in range(first, min(last, first + STEPS)))


def _is_function(layout: Layout, number: int) -> bool:
    """Whether a call that stands alone needs a semicolon: it is the only one of its name without, and no macro's."""
    word = layout.text(number)
    if layout.bare_calls[word] != 1:
        return False
    return layout.whole_calls[word] >= _MANY if is_macro(layout, number) else True


def _ends_declaration(layout: Layout, number: int) -> bool:
    """Whether a line among declarations ends one without a semicolon and `number` begins another."""
    first, last = layout.statement(number - 1), number - 1
    if first is None or first >= last or not _begins_another(layout, number, first):
        return False
    if layout.text(last) in _BEHIND_PARAMETERS:
        last -= 1
    if layout.text(number) == b"}":
        return _is_field(layout, first, last)
    words = {layout.text(at) for at in range(first, min(last, first + STEPS))}
    if b"=" in words:
        named = not is_macro(layout, last) and not is_macro(layout, first) and not is_macro(layout, number)
        return named and b"template" not in words
    if not _declares(layout, number):
        return False
    return _is_prototype(layout, first, last, number) if layout.text(last) == b")" else _is_field(layout, first, last)


def _declares(layout: Layout, number: int) -> bool:
    """Whether a declaration begins with a token: a type, or a name with another name behind it."""
    if layout.text(number) in _TYPES or (layout.text(number) in _ACCESS and layout.text(number + 1) == b":"):
        return True
    if layout.kind(number) != "word" or layout.is_keyword(number):
        return False
    if layout.text(number + 1) == layout.text(number + 2) == b":" or layout.text(number + 1) == b"<":
        return True
    if layout.kind(number + 1) == "word" and not layout.fresh[number + 1]:
        return True
    return layout.text(number + 1) in _POINTERS and layout.kind(number + 2) == "word" and not is_macro(layout, number)


def _is_field(layout: Layout, first: int, last: int) -> bool:
    """`type name` or `type name[2]`."""
    if is_macro(layout, first) or is_macro(layout, last) or layout.text(last) == b")":
        return False
    return layout.kind(first) == "word" and layout.kind(last) in ("word", "close", "number") and last > first


def _is_prototype(layout: Layout, first: int, last: int, number: int) -> bool:
    """Whether a list of parameters ends a declaration: no types of parameters follow it, as in K&R's C."""
    name = layout.opener.get(last, 0) - 1
    typed = layout.kind(name - 1) == "word" or layout.text(name - 1) in _POINTERS
    if name <= first or not typed or layout.kind(name) != "word" or is_macro(layout, name):
        return False
    if layout.text(number) in _NO_PARAMETERS:
        return True
    for at in range(number, min(number + STEPS, len(layout.found))):
        if layout.text(at) == b"{":
            return layout.text(at - 1) != b";"
    return True


def _ends_record(layout: Layout, closer: int) -> bool:
    """Whether a brace ends the definition of a type and what follows it is none of its names."""
    opener, number = layout.opener.get(closer), closer + 1
    if opener is None or layout.kind(opener - 1) != "word" or layout.roles.get(opener) == "block":
        return False
    first = layout.begin(opener)
    if first is None or not any(layout.text(at) in _RECORDS for at in range(first, opener)):
        return False
    if any(layout.text(at) in (b"=", b"(", b"typedef") or is_macro(layout, at) for at in range(first, opener)):
        return False
    following = layout.text(number)
    return following in (b"", b"}") or (_declares(layout, number) and not is_macro(layout, number))


def _ends_list(layout: Layout, closer: int) -> bool:
    """Whether a brace ends the values that are given to something and nothing of the statement follows."""
    opener, number = layout.opener.get(closer), closer + 1
    if opener is None or layout.text(opener - 1) not in (b"=", b"return") or number >= len(layout.found):
        return False
    first = layout.statement(opener)
    if first is None or not _begins_another(layout, number, first) or is_macro(layout, number):
        return False
    return layout.roles.get(layout.holder[opener]) == "block" or _declares(layout, number)


_ENDS: dict[str, Callable[[Layout, int], bool]] = {"block": _ends_statement, "members": _ends_declaration}

# -- what the grammar need not know --------------------------------------------------------------------------------

_DEPTH = 20
"""Brackets around an error that are looked at."""
_CPP_CORNERS = frozenset(
    b"template typename typeid operator new delete default decltype noexcept using constexpr requires concept "
    b"co_await co_return co_yield ::* ... <=> final override friend".split()
)
"""Words and signs of what the grammar of C++ takes in most places only."""


def doubtful(layout: Layout, start: int, end: int) -> bool:
    """Whether an error [start, end) may be the grammar's own: it stands in, or in a block headed by, a statement that
    holds a macro or a directive, or what only a macro can be given.
    """
    return _doubtful(layout, start, end, frozenset())


def doubtful_in_cpp(layout: Layout, start: int, end: int) -> bool:
    """The same in C++, some corners of which its grammar does not know."""
    return _doubtful(layout, start, end, _CPP_CORNERS)


def _doubtful(layout: Layout, start: int, end: int, corners: frozenset[bytes]) -> bool:
    first = max(bisect_right(layout.starts, start) - 1, 0)
    last = max(bisect_right(layout.starts, max(start, end - 1)) - 1, first)
    spans = [_statement(layout, first, last)]
    if layout.found and _is_fragment(layout):
        return True
    opener = layout.holder[first] if layout.found else -1
    while opener >= 0 and len(spans) < _DEPTH:
        spans.append(_statement(layout, opener, opener))
        opener = layout.holder[opener]
    return any(_is_odd(layout, number, corners) for span in spans for number in span)


def _is_fragment(layout: Layout) -> bool:
    """Whether a text is a part of a list that another text includes."""
    return layout.kind(0) in ("number", "string") or layout.text(0) in (b"{", b",")


def _statement(layout: Layout, first: int, last: int) -> range:
    """The tokens of the statements from the one that holds `first`, out of its parentheses, to the one of `last`."""
    begun = layout.begin(first)
    for _ in range(_DEPTH):
        if begun is not None and layout.text(begun - 1) in (b"(", b"["):
            begun = layout.begin(begun - 1)
    begun = begun if begun is not None else max(first - STEPS, 0)
    for _ in range(STEPS):
        if layout.text(last) in (b";", b"{", b"}") or last + 1 >= len(layout.found):
            break
        last += 1
    return range(begun, min(last + 2, len(layout.found)))


def _is_odd(layout: Layout, number: int, corners: frozenset[bytes]) -> bool:
    """Whether a token is a macro, stands behind a directive, or is what no function takes and no type is made of."""
    if number in layout.cut or is_macro(layout, number) or layout.text(number) in corners:
        return True
    before, after = layout.text(number - 1), layout.text(number + 1)
    if layout.kind(number) == "op":
        if layout.text(number) == b"^" and before == b"(":
            return True  # A block, as Apple's compiler takes it.
        # `each(+, one)`, `cast(one *, two)`
        pointer = layout.text(number) in _POINTERS and layout.kind(number - 1) == "word"
        if pointer and corners and layout.kind(number + 1) == "word" and layout.text(number + 2) == b"(":
            return True
        return (pointer or before in (b"(", b",")) and after in (b",", b")") and layout.text(number) != b","
    if layout.text(number) == b"{":
        return before in (b"(", b",") and layout.inside[number] == b"("
    return layout.kind(number) == "word" and _is_odd_word(layout, number)


def _is_odd_word(layout: Layout, number: int) -> bool:
    """A word among words where only a type and a name can be anybody's own, or alone as no statement can be."""
    named = not layout.is_keyword(number)
    before, after = layout.kind(number - 1) == "word", layout.kind(number + 1) == "word"
    if not named:
        # `inlined static int`, `of(one, struct two)`
        tag = layout.text(number) in _TYPES
        return tag and ((before and not layout.is_keyword(number - 1)) or _is_argument(layout, number))
    if before and after and not layout.is_keyword(number - 1) and not layout.is_keyword(number + 1):
        return True
    if before and not layout.is_keyword(number - 1) and layout.text(number + 1) in _POINTERS:
        return True
    if layout.text(number - 1) == b")" and layout.roles.get(layout.holder[number]) == "members":
        return True  # an attribute behind parameters
    if layout.begin(number) != number:
        return False
    closer = layout.partner.get(number + 1, number)
    if closer > number and layout.text(number + 1) == b"(" and layout.roles.get(layout.holder[number]) == "members":
        return True
    return layout.ends_line(closer) and layout.kind(closer + 1) in ("word", "") and closer + 1 < len(layout.found)


def _is_argument(layout: Layout, number: int) -> bool:
    """Whether a token begins an argument of a call in a block."""
    opener = layout.holder[number]
    called = layout.text(opener) == b"(" and layout.kind(opener - 1) == "word" and not layout.is_keyword(opener - 1)
    return called and layout.text(number - 1) in (b"(", b",") and layout.roles.get(layout.holder[opener]) == "block"


DOUBTS: Mapping[str, Callable[[Layout, int, int], bool]] = MappingProxyType({"c": doubtful, "cpp": doubtful_in_cpp})
"""For a language where another witness is asked: whether a statement may be one that its grammar need not know."""
