"""`r1-lsp fix PATH...`: repairs as a diff; `--write` makes the sure ones, `--write --guess` likely others too."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console

from ast_tools import Edit, composed, moved
from r1_lsp.cli.console import Failure, print_json, stderr, stdout, visible
from r1_lsp.cli.diff import diff_of, difference, print_diff
from r1_lsp.cli.examination import Examination, examination_arguments, examine_all
from r1_lsp.cli.examine import Examined, Finding
from r1_lsp.cli.report import counted, files_told, finding_json, print_done, print_finding, print_unread, unread_json
from r1_lsp.cli.rewrite import Rewrite, rewrite_of
from r1_lsp.cli.suggestion import Question, Suggestion, Trouble
from r1_lsp.cli.walk import STDIN

_EPILOG = """\
Without --write nothing is changed. A file is replaced whole or not at all, and
not if it changed meanwhile. With `-` the text with its repairs goes to
standard output under --write.

Repairs come from the syntax tree alone: a result depends on the file and on
nothing else. With --model NAME (`default` for the usual one) what has no
repair goes to that model, whose answer is checked and still a guess: it is
shown, and made by --write --guess. Among several repairs of which none is
sure the one that the model finds likeliest comes first. --no-model says that
none is asked, whatever stands before it.

exit codes: 0 nothing is left to repair; 1 problems are left, or would be
repaired by --write, or a file could not be looked at or written; 2 misuse
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What comes of one file with problems. `rewrite` may have no edits; None, with a sentence, where it failed.

    `suggestion` is the model's, for the text after the rewrite; `taken`: it became part of the rewrite.
    """

    answer: Examined
    rewrite: Rewrite | None
    failed: str = ""
    written: bool = False
    suggestion: Suggestion | None = None
    taken: bool = False

    def makes(self, finding: Finding, *, guess: bool) -> bool:
        """Whether a problem is one of those that the rewrite repairs."""
        if self.rewrite is None:
            return False
        return (finding.sure or guess) if finding.choices else self.taken and self.ended_by_model(finding)

    def ended_by_model(self, finding: Finding) -> bool:
        """Whether the model has a change for a problem."""
        return self.suggestion is not None and any(
            trouble.finding == finding.start and trouble.message == finding.message for trouble in self.suggestion.ended
        )


def run(argv: list[str]) -> int:
    """Shows or makes repairs. Exit code: see _EPILOG."""
    options = _options(argv)
    found, no_answer = _with_choices(examine_all(options), options)
    outcomes = [_planned(answer, options, found.standard_input) for answer in found.answers if answer.findings]
    if not no_answer and (asked := [one for one in outcomes if _for_the_model(one, options)]):
        try:
            outcomes = _with_suggestions(outcomes, asked, options)
        except Failure as failure:
            no_answer = _not_asked(failure)
    if options.write:
        outcomes = [_written(one) for one in outcomes]
    failed = [(one.answer.path, one.failed) for one in outcomes if one.failed]
    print_unread("fix", [*found.unread, *failed, *([("", no_answer)] if no_answer else [])])
    if options.json:
        print_json({**_as_json(options, found, outcomes), "unwritten": unread_json(failed), "no_model": no_answer})
    else:
        _print(options, found, outcomes)
    left = any(not done for _, _, done in _each(options, outcomes))
    return 1 if left or failed or found.unread else 0


def _options(argv: list[str]) -> argparse.Namespace:
    parser = examination_arguments("fix", "Repairs of broken files and folders, as a diff.", _EPILOG)
    parser.add_argument("--write", action="store_true", help="make the sure repairs in the files")
    parser.add_argument("--guess", action="store_true", help="also the first choice of those that are not sure")
    parser.add_argument("--model", metavar="NAME", help="ask a model: of the catalogue, installed, or a .gguf file")
    parser.add_argument(
        "--no-model", action="store_const", const=None, dest="model", help="repairs from the syntax tree alone (usual)"
    )
    return parser.parse_args(argv)


def _planned(answer: Examined, options: argparse.Namespace, standard_input: bytes | None) -> _Outcome:
    try:
        edits = answer.guessed if options.guess else answer.sure
        return _Outcome(answer=answer, rewrite=rewrite_of(answer, edits, standard_input))
    except Failure as failure:
        return _Outcome(answer=answer, rewrite=None, failed=str(failure))


# the model ---------------------------------------------------------------------------------------------------------


def _wants_model(options: argparse.Namespace) -> bool:
    """Whether a model is named, and what it says is of use: it only guesses."""
    return options.model is not None and (options.guess or not options.write)


def _for_the_model(outcome: _Outcome, options: argparse.Namespace) -> bool:
    """Whether a model is wanted, and there is something to ask."""
    return _wants_model(options) and outcome.rewrite is not None and bool(_unrepaired(outcome.answer))


def _not_asked(failure: Failure) -> str:
    return f"the model was not asked: {failure}"


def _with_choices(found: Examination, options: argparse.Namespace) -> tuple[Examination, str]:
    """What was found, with the model's choice first where several are possible; or why there is no choice of it."""
    unsure = [answer for answer in found.answers if any(finding.is_open for finding in answer.findings)]
    if not unsure or not _wants_model(options):
        return found, ""
    from r1_lsp.cli.choice import Ballot, chosen  # half a second that repairs from the tree do without

    ballots = []
    for answer in unsure:
        with suppress(Failure):  # it cannot be read any more, which is told when its repairs are planned
            ballots.append(Ballot(answer=answer, text=rewrite_of(answer, (), found.standard_input).text))
    try:
        with _status() as heard:
            better = chosen(ballots, options.model, heard)
    except Failure as failure:
        return found, _not_asked(failure)
    return replace(found, answers=tuple(better.get(answer.path, answer) for answer in found.answers)), ""


def _unrepaired(answer: Examined) -> list[Finding]:
    return [finding for finding in answer.findings if not finding.choices]


def _with_suggestions(
    outcomes: Sequence[_Outcome], asked: Sequence[_Outcome], options: argparse.Namespace
) -> list[_Outcome]:
    """The outcomes with what the model says of those asked about. Raises Failure when there is no model."""
    from r1_lsp.cli.by_model import suggestions  # half a second that repairs from the tree do without

    questions = [_question(one, one.rewrite) for one in asked if one.rewrite is not None]
    with _status() as heard:
        found = asyncio.run(suggestions(questions, options.model, heard))
    told = [replace(one, suggestion=found.get(one.answer.path)) for one in outcomes]
    return [_taking(one) if options.guess else one for one in told]


def _question(outcome: _Outcome, rewrite: Rewrite) -> Question:
    troubles = tuple(
        Trouble(
            finding=finding.start,
            start=moved(rewrite.edits, finding.start),
            end=moved(rewrite.edits, finding.end),
            message=finding.message,
            refused=finding.refused,
        )
        for finding in _unrepaired(outcome.answer)
    )
    return Question(path=rewrite.path, language=outcome.answer.language, text=rewrite.text, troubles=troubles)


def _taking(outcome: _Outcome) -> _Outcome:
    """The outcome with the model's changes among those to make."""
    rewrite, suggestion = outcome.rewrite, outcome.suggestion
    if rewrite is None or suggestion is None or not suggestion.ended:
        return outcome
    edits: tuple[Edit, ...] = composed(rewrite.edits, (difference(rewrite.text, suggestion.text),))
    return replace(outcome, rewrite=replace(rewrite, edits=edits), taken=True)


@contextmanager
def _status() -> Iterator[Any]:
    """Where to say what is being done: a line on the terminal, or nowhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with stderr().status("starting the model") as line:
        yield lambda sentence: line.update(visible(sentence))


# what comes of it --------------------------------------------------------------------------------------------------


def _written(outcome: _Outcome) -> _Outcome:
    if outcome.rewrite is None or not outcome.rewrite.edits:
        return outcome
    try:
        if outcome.answer.path != STDIN:
            outcome.rewrite.write()
    except Failure as failure:
        return replace(outcome, failed=str(failure))
    return replace(outcome, written=True)


def _each(options: argparse.Namespace, outcomes: Sequence[_Outcome]) -> Iterator[tuple[_Outcome, Finding, bool]]:
    """Every problem, with whether it is repaired by now."""
    for outcome in outcomes:
        for finding in outcome.answer.findings:
            yield outcome, finding, outcome.written and outcome.makes(finding, guess=options.guess)


def _print(options: argparse.Namespace, found: Examination, outcomes: Sequence[_Outcome]) -> None:
    """The changes and what is left. Where the changed text or a diff alone is wanted, the rest goes to stderr."""
    out = stdout()
    apart = options.diff or (options.write and STDIN in options.paths)
    console = stderr() if apart else out
    if found.standard_input is not None and options.write and not options.diff:
        _pass_on(found.standard_input, outcomes)
    for outcome in outcomes:
        if outcome.rewrite is not None and (options.diff or not options.write):
            print_diff(out, outcome.rewrite.diff())
    for outcome in outcomes:
        _print_outcome(console, outcome, options)
    console.print(_summary(options, found, outcomes), markup=False)


def _pass_on(text: bytes, outcomes: Sequence[_Outcome]) -> None:
    """Standard input with its repairs, to the byte."""
    rewrites = [one.rewrite.data for one in outcomes if one.answer.path == STDIN and one.rewrite is not None]
    sys.stdout.flush()
    sys.stdout.buffer.write(rewrites[0] if rewrites else text)
    sys.stdout.buffer.flush()


def _print_outcome(console: Console, outcome: _Outcome, options: argparse.Namespace) -> None:
    path = outcome.answer.path
    for finding in outcome.answer.findings:
        if outcome.makes(finding, guess=options.guess):
            print_done(console, path, finding, written=outcome.written)
        else:
            print_finding(console, path, finding)
    suggestion = outcome.suggestion
    if suggestion is None or outcome.rewrite is None:
        return
    if suggestion.ended and not outcome.taken:
        console.print(f"{visible(path)}: the model suggests, after the sure repairs:", style="yellow", markup=False)
        print_diff(console, diff_of(path, outcome.rewrite.text, suggestion.text))
    for trouble, reason in suggestion.refused:
        console.print(f"{visible(path)}: the model on “{visible(trouble.message)}”: {visible(reason)}", markup=False)


def _summary(options: argparse.Namespace, found: Examination, outcomes: Sequence[_Outcome]) -> str:
    if not found.n_files:
        return "no file could be looked at" if found.unread else "no file of a known language"
    if not found.findings:
        return f"no syntax problems in {files_told(found)}"
    all_of = list(_each(options, outcomes))
    told = f"{files_told(found)}, {counted(len(all_of), 'problem')}"
    if not options.write:
        sure = sum(finding.sure for _, finding, _ in all_of)
        unsure = sum(
            not finding.sure and (bool(finding.choices) or one.ended_by_model(finding)) for one, finding, _ in all_of
        )
        not_yet = len(all_of) - sure - unsure
        told = f"{told}, {sure} can be repaired surely (--write), {unsure} perhaps (--write --guess)"
        return f"{told}, {not_yet} not (--model NAME asks a model)" if not_yet and options.model is None else told
    sure = sum(done and finding.sure for _, finding, done in all_of)
    guessed = sum(done and not finding.sure for _, finding, done in all_of)
    left = sum(not done for _, _, done in all_of)
    return f"{told}: {sure} repaired{f', {guessed} guessed' if options.guess else ''}, {left} left"


def _as_json(options: argparse.Namespace, found: Examination, outcomes: Sequence[_Outcome]) -> dict[str, Any]:
    return {
        "files": found.n_files,
        "problems": [
            {**finding_json(outcome.answer.path, finding), "by_model": finding.by_model, "repaired": done}
            for outcome, finding, done in _each(options, outcomes)
        ],
        "changes": [
            _change_json(one, one.rewrite) for one in outcomes if one.rewrite is not None and one.rewrite.edits
        ],
        "suggestions": [
            _suggestion_json(one, one.rewrite, one.suggestion)
            for one in outcomes
            if one.suggestion is not None and one.rewrite is not None
        ],
        "unread": unread_json(found.unread),
    }


def _change_json(outcome: _Outcome, rewrite: Rewrite) -> dict[str, Any]:
    """What changes in a file; the whole text where there is no file to write it to."""
    if rewrite.path == STDIN:
        return {"path": STDIN, "diff": rewrite.diff(), "written": False, "text": rewrite.text.decode("utf-8")}
    return {"path": visible(rewrite.path), "diff": rewrite.diff(), "written": outcome.written}


def _suggestion_json(outcome: _Outcome, rewrite: Rewrite, suggestion: Suggestion) -> dict[str, Any]:
    """What the model says of a file: a diff of the text after the other changes, or of why there is none."""
    diff = "" if outcome.taken else diff_of(rewrite.path, rewrite.text, suggestion.text)
    return {
        "path": visible(rewrite.path),
        "diff": diff,
        "taken": outcome.taken,
        "refused": [{"message": trouble.message, "reason": reason} for trouble, reason in suggestion.refused],
    }
