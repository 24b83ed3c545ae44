"""Should there be a suggestion at all? Cheap questions to the text and the tree, each with its reason code."""

import fnmatch
import re
from pathlib import PurePath

import ast_tools
from r1_lsp.features.completion.ask import Ask
from r1_lsp.features.why import Reason
from r1_lsp.settings import CompletionSettings
from r1_lsp.snapshot import Snapshot

MAX_BYTES = 5_000_000
"""Above this a file is generated or data; reading and parsing it at each key costs more than a suggestion is worth."""

# Text that may follow the cursor: what editors close by themselves, and the end of a statement.
_INERT = re.compile(r"""^\s*[)>}\]"'`]*\s*[:{;,]?\s*$""")
_WORD = re.compile(r"\w")

_SECRET_NAMES = (
    ".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.kdbx", "*.jks", "*.keystore", "id_rsa", "id_dsa",
    "id_ecdsa", "id_ed25519", ".netrc", "_netrc", ".npmrc", ".pypirc", ".pgpass", ".htpasswd", "credentials",
    "secrets.json", "secrets.toml", "secrets.yaml", "secrets.yml", "*.tfvars",
)  # fmt: skip
_HARMLESS_NAMES = ("*.example", "*.sample", "*.template", "*.dist")


def why_not(snapshot: Snapshot, offset: int, ask: Ask, settings: CompletionSettings) -> Reason | None:
    """The reason to stay silent that the settings, the file and the cursor's line give; None to go on. Microseconds."""
    mode = settings.mode(snapshot.language_id)
    if mode == "off":
        return Reason.OFF
    if mode == "manual" and not ask.invoked:
        return Reason.MANUAL
    if looks_secret(snapshot.path or snapshot.uri):
        return Reason.SECRET
    if len(snapshot.text) > MAX_BYTES and not ask.invoked:
        return Reason.TOO_LARGE
    return _line_reason(snapshot, offset, ask)


def why_not_here(snapshot: Snapshot, offset: int, ask: Ask, settings: CompletionSettings) -> Reason | None:
    """The reason that the tree gives: what the cursor stands in. An explicit request overrides it."""
    if ask.invoked or settings.in_comments or snapshot.tree is None:
        return None
    match ast_tools.place(snapshot.tree, snapshot.text, offset):
        case "comment":
            return Reason.IN_COMMENT
        case "string":
            return Reason.IN_STRING
        case _:
            return None


def is_inert(after: str) -> bool:
    """Whether the rest of the cursor's line leaves room for an insertion before it."""
    return _INERT.match(after) is not None


def looks_secret(path: str) -> bool:
    """Whether the name of a file says that it holds keys or passwords."""
    name = PurePath(path).name.lower()
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in _HARMLESS_NAMES):
        return False
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _SECRET_NAMES)


def _line_reason(snapshot: Snapshot, offset: int, ask: Ask) -> Reason | None:
    line = snapshot.lines.line_at(offset)
    after = snapshot.text[offset : snapshot.lines.end(line)].decode("utf-8", "replace")
    before = snapshot.text[snapshot.lines.start(line) : offset].decode("utf-8", "replace")
    if _WORD.match(before[-1:]) and _WORD.match(after):
        return Reason.INSIDE_WORD
    if not ask.invoked and not is_inert(after):
        return Reason.TEXT_AFTER
    if not before.strip() and not snapshot.text[max(0, offset - 4096) : offset].strip():
        return Reason.NOTHING_BEFORE
    return None
