"""Plainer readings of a text, where a grammar knows only a part of its language.

A grammar does not know what macros mean, and some grammars lag behind their language. A plainer reading lacks what the
grammar would stumble over though nothing is wrong: directives, words that look like macros where the grammar has no
place for them, syntax it does not know. Every byte keeps its place, so offsets mean the same in all readings. What is
broken in all of them is broken; what one of them explains is the grammar's affair.

The rules were made by looking at what released files of the development projects (bench/corpora.toml) trip over.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from ast_tools.languages import LANGUAGES, Language
from ast_tools.layout import Layout
from ast_tools.lexer import Token, tokens
from ast_tools.slips import is_slip
from ast_tools.witnesses import is_macro

Rule = Callable[["_Draft"], None]


def readings(language: Language, text: bytes) -> Iterator[tuple[Language, bytes]]:
    """Plainer readings of a text and the language to read each in, the boldest last; none where none is needed.

    Each is as long as the text.
    """
    scanned: dict[str, list[Token]] = {}
    for name, rules, signs in READINGS.get(language.name, ()):
        if signs is not None and signs.search(text) is None:
            continue
        if name not in scanned:
            scanned[name] = tokens(LANGUAGES[name], text)
        draft = _Draft(LANGUAGES[name], text, scanned[name])
        for rule in rules:
            rule(draft)
        yield LANGUAGES[name], bytes(draft.out)


def other_languages(language: Language, text: bytes) -> list[Language]:
    """The languages that a text may be in, though its name says another."""
    rows = READINGS.get(language.name, ())
    found = [name for name, _, signs in rows if name != language.name and (signs is None or signs.search(text))]
    return [LANGUAGES[name] for name in dict.fromkeys(found)]


class _Draft(Layout):
    """A text whose tokens are taken away one by one."""

    def __init__(self, language: Language, text: bytes, found: list[Token] | None = None) -> None:
        super().__init__(language, text, found)
        self.out = bytearray(text)
        self.gone: set[int] = set()
        for token in self.asides:
            self._erase(token.start, token.end)

    def begins(self, number: int) -> bool:
        """Whether a statement or declaration may begin with a token."""
        before = number - 1
        while before in self.gone:
            before -= 1
        if self.text(before) == self.text(before - 1) == b":":
            return False
        return before < 0 or before + 1 != number or self.text(before) in _BEFORE_STATEMENTS

    def erase(self, first: int, last: int) -> None:
        """Takes away tokens and what stands between them."""
        self._erase(self.found[first].start, self.found[last].end)
        self.gone.update(range(first, last + 1))

    def put(self, number: int, text: bytes) -> None:
        """Puts a text at the place of a token at least as long."""
        token = self.found[number]
        self.out[token.start : token.end] = text.ljust(len(token.text))

    def _erase(self, start: int, end: int) -> None:
        self.out[start:end] = _VISIBLE.sub(b" ", self.out[start:end])

    def replace(self, pattern: re.Pattern[bytes]) -> None:
        """Takes away what group 1 of each match stands for."""
        for match in pattern.finditer(bytes(self.out)):
            self._erase(*match.span(1))


_VISIBLE = re.compile(rb"[^\r\n]")
_BEFORE_STATEMENTS = frozenset(b"; { } ) : else do".split())

# -- C and C++ -----------------------------------------------------------------------------------------------------

_TYPES = frozenset(b"void char short int long float double signed unsigned bool _Bool auto wchar_t size_t".split())
_TAGS = frozenset(b"struct union enum class typename".split())
_QUALIFIERS = frozenset(b"const volatile static inline extern register restrict constexpr virtual explicit".split())
_ASSEMBLY = frozenset(b"asm __asm __asm__".split())
_ALONE = frozenset(b"return goto case else delete throw".split())


def _assembly(draft: _Draft) -> None:
    """Assembly has a syntax of its own: nothing of it is read."""
    for number in range(len(draft.found)):
        if draft.text(number) not in _ASSEMBLY:
            continue
        at = number + 1
        while draft.text(at) in (b"volatile", b"__volatile__", b"goto", b"inline"):
            at += 1
        if at in draft.partner:
            draft.erase(number, draft.partner[at])
            continue
        last = number
        while not draft.ends_line(last):
            last += 1
        draft.erase(number, last)


def _macro_calls(draft: _Draft) -> None:
    """Calls of macros: what they are given need be no code, and what they make no expression."""
    for number, closer in _calls(draft):
        if not is_macro(draft, number) or _points_to_function(draft, number, closer):
            continue
        if draft.begins(number) and draft.text(closer + 1) == b"{":
            _as_condition(draft, number, closer)
        elif _is_type_of_macro(draft, number, closer):
            draft.erase(number + 1, closer)  # `LIST_ENTRY(one) two;`
        else:
            _macro_call(draft, number, closer)


def _points_to_function(draft: _Draft, number: int, closer: int) -> bool:
    """`RESULT (CONVENTION *name)(`, with or without the convention."""
    return b"*" in (draft.text(number + 2), draft.text(number + 3)) and draft.text(closer + 1) == b"("


def _is_type_of_macro(draft: _Draft, number: int, closer: int) -> bool:
    declares = draft.kind(closer + 1) == "word" and draft.text(closer + 2) in (b";", b"[", b"=", b",")
    return declares and not draft.ends_line(closer) and not draft.text(number).startswith(b"__")


def _calls(draft: _Draft) -> Iterator[tuple[int, int]]:
    """(word, closer) of every word with arguments behind it that is still there."""
    for number in range(len(draft.found)):
        closer = draft.partner.get(number + 1)
        if number in draft.gone or draft.kind(number) != "word" or draft.text(number + 1) != b"(" or closer is None:
            continue
        yield number, closer


def _as_condition(draft: _Draft, number: int, closer: int) -> None:
    """`EACH(one, two) {` reads as `if (1) {`."""
    draft.erase(number, closer)
    draft.put(number, b"if"[: len(draft.found[number].text)])
    draft.put(number + 1, b"(")
    draft.put(closer, b")")
    if closer > number + 2:
        draft.put(number + 2, b"1")


def _small_blocks(draft: _Draft) -> None:
    """Macros in small letters that head a block, as `for (...)` could, if they are no keyword with a slip in it."""
    for number, closer in _calls(draft):
        goes_on = draft.kind(closer + 1) == "word" and (
            not draft.ends_line(closer) or _deeper(draft, closer + 1, number)
        )
        heads = draft.text(closer + 1) == b"{" or goes_on
        if not heads or is_macro(draft, number) or draft.inside[number] != b"{":
            continue
        if draft.begins(number) and _is_name(draft, number):
            _as_condition(draft, number, closer)
    for number in range(len(draft.found)):
        if draft.text(number + 1) != b"{" or not _is_name(draft, number):
            continue
        if draft.begins(number) and draft.text(number - 1) not in (b")", b":"):
            draft.erase(number, number)


def _deeper(draft: _Draft, number: int, than: int) -> bool:
    return draft.fresh[than] and draft.indent(number) > draft.indent(than)


def _is_name(draft: _Draft, number: int) -> bool:
    if number in draft.gone or draft.kind(number) != "word" or draft.is_keyword(number):
        return False
    return not is_slip(draft.language, draft.text(number))


def _macro_call(draft: _Draft, number: int, closer: int) -> None:
    """A macro's arguments are not read; the whole call is not where it stands as a statement or an attribute."""
    after = draft.text(closer + 1)
    if closer > number + 2:
        draft.erase(number + 2, closer - 1)
    follows = draft.kind(closer + 1) in ("word", "") or after == b"}"
    hidden = draft.text(number).startswith(b"__")
    headless = draft.inside[number] == b"{" and draft.text(closer + 2) == b"("  # `EACH(one, two) handle(one);`
    statement = draft.begins(number) and follows and (draft.ends_line(closer) or after == b"}" or hidden or headless)
    named = draft.kind(number - 1) == "word" and not draft.is_keyword(number - 1)
    # Behind a comma a new line may also be the next element of a list.
    ends = after in (b";", b"{", b"=") or (after == b"," and not draft.fresh[number])
    # In a block a line of its own is a statement, and the one before it lacks its semicolon.
    apart = draft.fresh[number] and draft.roles.get(draft.holder[number]) == "block"
    attribute = (named or _ends_parameters(draft, number - 1)) and ends and not apart
    joined = draft.kind(number - 1) == "string" or draft.kind(closer + 1) == "string"
    if statement or attribute or joined:
        draft.erase(number, closer)


def _ends_parameters(draft: _Draft, number: int) -> bool:
    """Whether a token closes the parentheses behind a name, not those of a cast."""
    opener = draft.opener.get(number) if draft.text(number) == b")" else None
    return opener is not None and draft.kind(opener - 1) == "word" and not draft.is_keyword(opener - 1)


def _type_arguments(draft: _Draft) -> None:
    """Types among the arguments of a call: `va_arg(list, char *)`, `container_of(one, struct two, three)`."""
    for number, closer in _calls(draft):
        if draft.is_keyword(number) or draft.kind(number - 1) == "word" or draft.text(number - 1) in (b"*", b"&"):
            continue
        start = number + 2
        for at in range(start, closer + 1):
            if at == closer or draft.text(at) == b",":
                if _is_type(draft, start, at):
                    draft.erase(start, at - 1)
                    draft.put(start, b"0")
                start = at + 1


def _is_type(draft: _Draft, start: int, end: int) -> bool:
    """Whether tokens are a type without a name."""
    words = [draft.text(at) for at in range(start, end) if draft.text(at) not in (b"*", b"**", *_QUALIFIERS)]
    if words[:1] and words[0] in _TAGS:
        return len(words) == 2
    return bool(words) and words != [b"void"] and all(word in _TYPES for word in words)


def _casts(draft: _Draft) -> None:
    """A macro before an operand: `BAD_CAST name`."""
    for number in range(len(draft.found)):
        operand = draft.kind(number + 1) in ("word", "number", "string") and not draft.is_keyword(number + 1)
        before = draft.text(number - 1) in (b"(", b",", b"=", b"return")
        if number not in draft.gone and operand and before and is_macro(draft, number):
            draft.erase(number, number)


def _macro_words(draft: _Draft) -> None:
    """Words that look like macros, in places where the grammar has no use for one."""
    for number in range(len(draft.found)):
        if number in draft.gone or draft.kind(number) != "word":
            continue
        if is_macro(draft, number):
            _macro_word(draft, number)


def _macro_word(draft: _Draft, number: int) -> None:
    before, after = draft.text(number - 1), draft.text(number + 1)
    if draft.fresh[number] and draft.ends_line(number) and draft.begins(number):
        # Alone on its line it is a statement; at the top level it may be the type of what follows.
        if after not in _OPERATORS and (draft.inside[number] == b"{" or draft.text(number + 2) != b"("):
            draft.erase(number, number)
    elif before == b")" and draft.ends_line(number) and draft.inside[number] == b"{" and after not in _OPERATORS:
        draft.put(number, b";")  # `if (one) MACRO`
    elif _is_extra(draft, number):
        draft.erase(number, number)


def _is_extra(draft: _Draft, number: int) -> bool:
    """Whether a macro stands where nothing may: before a statement, beside a string, behind parameters."""
    before, after = draft.text(number - 1), draft.text(number + 1)
    if draft.begins(number) and draft.is_keyword(number + 1) and _begins_statement(draft, number + 1):
        return True
    if "string" in (draft.kind(number - 1), draft.kind(number + 1)):
        return True
    if after in (b";", b"{", b",") and _ends_parameters(draft, number - 1):
        return True
    # `f(char *name MACRO, ...)`, `type * MACRO name(`
    if after in (b",", b")") and draft.kind(number - 1) == "word" and draft.inside[number] == b"(":
        return not draft.is_keyword(number - 1)
    if before in (b"*", b"**") and draft.kind(number + 1) == "word" and draft.text(number + 2) == b"(":
        return True
    if before == b"const" and _ends_parameters(draft, number - 2):
        return True
    # `(WINAPI *callback)(...)`
    return before == b"(" and after == b"*" and (draft.text(number + 3), draft.text(number + 4)) == (b")", b"(")


_OPERATORS = frozenset(b"; , = ( [ { . -> * + - / % < > == != & | ^ ? && ||".split())


def _begins_statement(draft: _Draft, number: int) -> bool:
    word = draft.text(number).decode("utf-8", "replace")
    return word in draft.language.statement_words or word in draft.language.block_words - {"struct", "union", "enum"}


def _names_in_a_row(draft: _Draft) -> None:
    """Of the words of a declaration only a type and a name can be anybody's own: other macros go."""
    number = 0
    while number < len(draft.found):
        last = number
        while draft.kind(last) == "word":
            last += 1
        if last > number:
            _thin_out(draft, number, last)
        number = last + 1


def _thin_out(draft: _Draft, first: int, end: int) -> None:
    """`EXPORT static INLINE type name (`: the words [first, end) stand together."""
    words = [at for at in range(first, end) if at not in draft.gone]
    names = [at for at in words if not draft.is_keyword(at)]
    texts = {draft.text(at) for at in words}
    tagged = bool(texts & _TAGS) and draft.text(end) in (b"{", b":")
    pointer = draft.text(end) in (b"*", b"**", b"&")
    typed = bool(texts & _TYPES) or bool(texts & _ALONE)
    names += [at for at in words[-1:] if draft.text(at) == b"operator" and at not in names]
    extra = len(names) - (0 if pointer and typed else 1 if pointer or typed or tagged else 2)
    macros = [at for at in names if is_macro(draft, at)]
    if len(macros) > extra and macros and macros[-1] == names[-1]:
        macros.pop()  # the name that is declared, or the type of a pointer
    for at in macros[::-1][: max(extra, 0)]:
        draft.erase(at, at)


# What the grammar of C++ does not take; group 1 goes.
_BRACE_DEFAULT = re.compile(rb"\w\s*(=\s*\{[^{}()]*\})(?=\s*[,)])")
_NAMED_OPERATOR = re.compile(rb"(?:->|\.|[;{}])\s*operator\s*(\(\)|\[\]|[-+*/%&|^<>=!~]{1,3})(?=\s*\()")
_OPERATOR_CALL = re.compile(rb"((?:->|\.|[;{}])\s*)operator(?=\s*\()")
_MEMBER_POINTER = re.compile(rb"\(\s*(\w+(?:::\w+)*::)\*")
_TEMPLATE_NAME = re.compile(rb"(?m)^[ \t]*(?:extern[ \t]+)?(template)[ \t]+(?:class|struct)\s+[\w:]+<")


_ARROW_STAR = re.compile(rb"(?:->|\.)(\*)(?=\s*\w)")
_FRIEND = re.compile(rb"\bfriend\s+(constexpr|inline)\b")
_CONSTRUCTED = re.compile(rb"[(,]\s*(typename)\s+[\w:]+\(")
_DELETED = re.compile(rb"\bdelete\s*(\[\s*\])(?=\s*\()")


def _lagging(draft: _Draft) -> None:
    """Syntax of C++ that its grammar does not take."""
    for pattern in (
        _BRACE_DEFAULT, _NAMED_OPERATOR, _MEMBER_POINTER, _TEMPLATE_NAME, _ARROW_STAR, _FRIEND, _CONSTRUCTED, _DELETED,
    ):  # fmt: skip
        draft.replace(pattern)
    draft.out = bytearray(_OPERATOR_CALL.sub(rb"\1operates", draft.out))


# -- TypeScript ----------------------------------------------------------------------------------------------------

_VARIANCE = re.compile(rb"[<,]\s*((?:in\s+out|in|out|const)\s)(?=\s*[A-Za-z_]\w*\s*(?:[,>=]|extends\b))")
_SIGNATURE_ON_NEW_LINE = re.compile(rb"(?:[\w\])}\"']|(?<!=)>)([ \t]*\r?\n)\s*(?=<)")


def _variance(draft: _Draft) -> None:
    """`in`, `out` and `const` before a type parameter."""
    for _ in range(4):  # A list of parameters shares its commas.
        draft.replace(_VARIANCE)


def _signatures(draft: _Draft) -> None:
    """A member that ends with its line before another that begins with `<` is ended."""
    for match in _SIGNATURE_ON_NEW_LINE.finditer(bytes(draft.out)):
        draft.out[match.start(1) : match.start(1) + 1] = b";"


_MACROS = (_assembly, _macro_calls, _macro_words, _names_in_a_row)
_BOLD = (_assembly, _macro_calls, _macro_words, _small_blocks, _casts, _names_in_a_row, _type_arguments)

_CLASSES = re.compile(
    rb"(?m)^[ \t]*(?:class[ \t]+\w[^;=(\n]*$|namespace[ \t]*[\w:]*\s*\{|template[ \t]*<|using[ \t]+\w"
    rb"|(?:public|private|protected)[ \t]*:)|\w::\w"
)
"""Signs of C++: a header's name does not say which of the two it is."""

Reading = tuple[str, tuple[Rule, ...], re.Pattern[bytes] | None]

READINGS: Mapping[str, tuple[Reading, ...]] = MappingProxyType(
    {
        "c": (
            ("c", (), None),
            ("c", _MACROS, None),
            ("c", _BOLD, None),
            ("cpp", (_lagging,), _CLASSES),
            ("cpp", (*_MACROS, _lagging), _CLASSES),
        ),
        "cpp": (
            ("cpp", (_lagging,), None),
            ("cpp", (*_MACROS, _lagging), None),
            ("cpp", (*_BOLD, _lagging), None),
        ),
        "typescript": (("typescript", (_variance,), None), ("typescript", (_variance, _signatures), None)),
        "tsx": (("tsx", (_variance,), None), ("tsx", (_variance, _signatures), None)),
    }
)
"""For each language its readings: in which language, what is taken away, in this order (comments and directives always
are), and what a text must hold to be read so."""
