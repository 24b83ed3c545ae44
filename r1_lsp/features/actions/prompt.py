"""What the model is asked when it is to change code. One message, no system prompt, the code as content."""

from ast_tools import SyntaxTree
from r1_lsp.features.actions import region as around
from r1_lsp.features.actions.offer import Report
from r1_lsp.features.actions.region import Region
from r1_lsp.features.ask import Question

_MOST_MESSAGE = 600
_ONLY = (
    "Answer with the new version of exactly these lines, in one code block, and nothing else. "
    "Do not repeat the lines around them."
)


def fix_question(tree: SyntaxTree, report: Report, region: Region, think_tokens: int, session: str) -> Question:
    """Asks for the lines of a region without the reported error."""
    name = tree.language.name
    told = [f"Fix one error in this {name} code.", f"Error on line {_line(region, report.start)}: {_said(report)}"]
    for related in report.related[:5]:
        at = f"line {related.line}: " if related.line is not None else ""
        told.append(f"Related: {at}{_short(related.message)}")
    told += ["", _code(tree, region, "The lines to fix"), f"{_ONLY} Change as little as possible.", ""]
    return _question("\n".join(told), name, region, think_tokens, session)


def edit_question(tree: SyntaxTree | None, sentence: str, region: Region, think_tokens: int, session: str) -> Question:
    """Asks for the lines of a region changed as a sentence says, in whatever language that is."""
    name = tree.language.name if tree is not None else ""
    said = " ".join(sentence.split())
    text = f"Change this {name or 'text'} as asked: {said}\n\n" + _code(tree, region, "The lines to change")
    return _question(text + "\n" + _ONLY + "\n", name, region, think_tokens, session)


def _question(text: str, name: str, region: Region, think_tokens: int, session: str) -> Question:
    return Question(
        text=text,
        opening=f"```{name}\n",
        stop=("\n```",),
        answer_tokens=200 + len(region.text),  # a token is about three characters: three times the lines, and some
        think_tokens=think_tokens,
        session=session,
    )


def _code(tree: SyntaxTree | None, region: Region, title: str) -> str:
    name = tree.language.name if tree is not None else ""
    heads = around.headers(tree, region) if tree is not None else ""
    above, below = around.before(region), around.after(region)
    shown = (("Inside", heads), ("Before them", above), (title, region.dedented), ("After them", below))
    return "".join(f"{label}:\n```{name}\n{code}\n```\n" for label, code in shown if code.strip())


def _line(region: Region, offset: int) -> int:
    return region.lines.line_at(offset) + 1


def _said(report: Report) -> str:
    by = " ".join(part for part in (report.source, report.code) if part)
    return _short(report.message) + (f" ({by})" if by else "")


def _short(message: str) -> str:
    said = " ".join(message.split())
    return said if len(said) <= _MOST_MESSAGE else said[:_MOST_MESSAGE] + " ..."
