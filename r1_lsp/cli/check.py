"""`r1-lsp check PATH...`: syntax problems of files and folders, without a model."""

import argparse
import sys

from r1_lsp.cli.console import Failure, print_json, stderr, stdout
from r1_lsp.cli.diff import print_diff
from r1_lsp.cli.examination import Examination, examination_arguments, examine_all
from r1_lsp.cli.report import counted, files_told, finding_json, print_finding, print_unread, unread_json
from r1_lsp.cli.rewrite import rewrite_of

_EPILOG = """\
exit codes: 0 no problems; 1 problems, or a file that could not be looked at;
2 misuse
"""


def run(argv: list[str]) -> int:
    """Prints every problem with its line and what can be done about it. Exit code: see _EPILOG."""
    parser = examination_arguments("check", "Syntax problems of files and folders. No model is asked.", _EPILOG)
    options = parser.parse_args(argv)
    found = examine_all(options)
    print_unread("check", found.unread)
    unwritten = _show(options, found)
    return 1 if found.findings or found.unread or unwritten else 0


def _show(options: argparse.Namespace, found: Examination) -> bool:
    """Returns whether something of it could not be shown."""
    sure = sum(finding.sure for _, finding in found.findings)
    if options.json:
        print_json(
            {
                "files": found.n_files,
                "problems": [finding_json(answer.path, finding) for answer, finding in found.findings],
                "unread": unread_json(found.unread),
                "sure": sure,
            }
        )
        return False
    failed = options.diff and _print_diffs(found)
    console = stderr() if options.diff else stdout()
    for answer, finding in found.findings:
        print_finding(console, answer.path, finding)
    console.print(_summary(found, sure), markup=False)
    return failed


def _print_diffs(found: Examination) -> bool:
    failed = False
    for answer in found.answers:
        if not answer.sure:
            continue
        try:
            print_diff(stdout(), rewrite_of(answer, answer.sure, found.standard_input).diff())
        except Failure as failure:
            print(f"r1-lsp check: {failure}", file=sys.stderr)
            failed = True
    return failed


def _summary(found: Examination, sure: int) -> str:
    if not found.n_files:
        return "no file could be looked at" if found.unread else "no file of a known language"
    if not found.findings:
        return f"no syntax problems in {files_told(found)}"
    return f"{files_told(found)}, {counted(len(found.findings), 'problem')}, {sure} can be repaired surely"
