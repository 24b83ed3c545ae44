"""What `check` and `fix` share: which files, the run over them with its progress bar, what is counted."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ast_tools import LANGUAGES, Language, language_of
from r1_lsp.cli.console import MAX_FILE_BYTES, Arguments, Failure
from r1_lsp.cli.examine import Examined, Finding, Task
from r1_lsp.cli.examiners import examined, usual_jobs
from r1_lsp.cli.walk import STDIN, files_of

_MOST_JOBS = 256

FILES_HELP = """\
Files that are named are always looked at. In a folder those of a known
language are, except what ignore files leave out (.gitignore and .ignore at
every level, .git/info/exclude) and what is nobody's own code: .git,
node_modules, .venv, caches, build, dist, minified and binary files. A pattern
such as !build/ in an ignore file takes one back. Links to folders are not
followed. `-` reads standard input and needs --language.
"""


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What was found in all files. `unread`: paths with a sentence why there is no answer about them.

    `standard_input` is what it said, if it was one of the files.
    """

    answers: tuple[Examined, ...]
    unread: tuple[tuple[str, str], ...]
    passed_over: int
    standard_input: bytes | None = None

    @cached_property
    def findings(self) -> list[tuple[Examined, Finding]]:
        """All problems, file by file."""
        return [(answer, finding) for answer in self.answers for finding in answer.findings]

    @property
    def n_files(self) -> int:
        """Files that were looked at."""
        return len(self.answers)


def examination_arguments(command: str, about: str, epilog: str) -> Arguments:
    """The parser with the options of both commands."""
    parser = Arguments(command, about)
    parser.epilog = FILES_HELP + "\n" + epilog
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, or - for standard input")
    parser.add_argument(
        "--diff", action="store_true", help="print a unified diff of the repairs, and all else on stderr"
    )
    parser.add_argument("--language", metavar="NAME", help="the language of named files and of standard input")
    parser.add_argument("--no-ignore", action="store_true", help="in folders, look at what is left out usually, too")
    parser.add_argument("-j", "--jobs", type=int, metavar="N", help="parallel processes (default: all cores but one)")
    return parser


def examine_all(options: argparse.Namespace) -> Examination:
    """Finds the files that `options` mean and looks at all of them. Raises Failure for misuse."""
    jobs = usual_jobs() if options.jobs is None else options.jobs
    if not 1 <= jobs <= _MOST_JOBS:
        raise Failure(f"--jobs wants a number from 1 to {_MOST_JOBS}", code=2)
    language = _language(options.language).name if options.language is not None else None
    walk = files_of(options.paths, language=language, ignore=not options.no_ignore)
    standard_input = _standard_input() if STDIN in options.paths else None
    tasks = [
        Task(
            path=file.path,
            language=file.language,
            named=file.named,
            text=standard_input if file.path == STDIN else None,
        )
        for file in walk.files
    ]
    answers = _watched(tasks, jobs)
    return Examination(
        answers=tuple(answer for answer in answers if not answer.unread and not answer.passed_over),
        unread=(*walk.unread, *((answer.path, answer.unread) for answer in answers if answer.unread)),
        passed_over=sum(answer.passed_over for answer in answers),
        standard_input=standard_input,
    )


def _standard_input() -> bytes:
    """Raises Failure when it cannot be read, or is too much."""
    try:
        text = sys.stdin.buffer.read(MAX_FILE_BYTES + 1) if sys.stdin is not None else None
    except OSError as error:
        raise Failure(f"cannot read standard input: {error.strerror or error}", code=2) from None
    if text is None:
        raise Failure("standard input is closed", code=2)
    if len(text) > MAX_FILE_BYTES:
        raise Failure(f"standard input is larger than {MAX_FILE_BYTES >> 20} MB, which is no source file")
    return text


def _language(name: str) -> Language:
    """By its own name, an editor's name for it, or an extension. Raises Failure."""
    wanted = name.lower()
    suffix = "." + wanted.lstrip(".")
    found = LANGUAGES.get(wanted) or language_of(wanted, f"x{suffix}")
    if found is None:
        raise Failure(f"--language {name!r} is not known; there are {', '.join(sorted(LANGUAGES))}", code=2)
    return found


def _watched(tasks: Sequence[Task], jobs: int) -> list[Examined]:
    """Looks at the files, with a bar on the terminal that is gone afterwards."""
    if len(tasks) < 2 or not sys.stderr.isatty():
        return examined(tasks, jobs=jobs)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("looking at files"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        row = bar.add_task("", total=len(tasks))
        return examined(tasks, jobs=jobs, heard=lambda _: bar.advance(row))
