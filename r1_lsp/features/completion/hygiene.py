"""What a model may never put into a file: control characters, invisible ones, control tokens, its own reasoning."""

import re

# Invisible or reordering characters (Trojan Source): zero-width, bidirectional controls, tags, the soft hyphen, the
# byte order mark; and line ends that editors disagree about.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# ESC [ ... letter, and ESC ] ... BEL (or ESC \): what a terminal would act on.
_ANSI = re.compile("\x1b\\[[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|\x1b[@-Z\\\\^_]")
_BEGUN = re.compile("\r$|\x1b(?:\\[[0-?]*[ -/]*|\\][^\x07\x1b]*\x1b?)?$")
_MARKER_NAMES = (
    r"endoftext|end_of_text|begin_of_text|eot_id|im_start|im_end|fim[_\u2581][a-z]+|file_sep|repo_name|"
    r"begin\u2581of\u2581sentence|end\u2581of\u2581sentence|User|Assistant|EOT"
)
_MARKER = re.compile(
    rf"<[|\uff5c](?:{_MARKER_NAMES})[|\uff5c]>|<(?:fim_[a-z]+|endoftext|file_sep|repo_name|reponame|filename)>|</s>"
)
_MARKER_BEGUN = re.compile(r"<(?:[|\uff5c][\w\u2581]{0,24}[|\uff5c]?|/?[a-z_]{0,12})?$")
_THINK, _THINK_END = "<think>", "</think>"


class Scrubber:
    """Cleans the text of one candidate as it streams. `ended`: a control token came, nothing after it counts."""

    def __init__(self) -> None:
        self.ended = False
        self._held = ""
        self._thinking = False
        self._at_start = False  # right after reasoning, where blank space belongs to it

    def feed(self, piece: str) -> str:
        """The next text that is surely clean. What may be the beginning of a marker is held back until it is told."""
        self._held += piece
        return self._told(final=False)

    def finish(self) -> str:
        """What was held back to the end."""
        return self._told(final=True)

    def _told(self, *, final: bool) -> str:
        told = ""
        while not self.ended:
            if self._thinking and not self._past_thinking():
                break
            if self._at_start:
                self._held = self._held.lstrip()
                self._at_start = not self._held
            before, self._thinking, rest = self._parted()
            told += self._clean(before, rest, final=final)
            if not self._thinking:
                break
        return told

    def _past_thinking(self) -> bool:
        """Drops reasoning; whether its end has come."""
        end = self._held.find(_THINK_END)
        if end < 0:
            self._held = self._held[-len(_THINK_END) :]
            return False
        self._held = self._held[end + len(_THINK_END) :]
        self._thinking, self._at_start = False, True
        return True

    def _parted(self) -> tuple[str, bool, str]:
        before, mark, rest = self._held.partition(_THINK)
        return before, bool(mark), rest

    def _clean(self, text: str, rest: str, *, final: bool) -> str:
        """The clean part of `text`; what must wait is held, and `rest` after it."""
        if (marker := _MARKER.search(text)) is not None:
            self.ended = True
            text = text[: marker.start()]
        text = _ANSI.sub("", text)
        whole = final or self.ended or self._thinking
        begun = None if whole else _MARKER_BEGUN.search(text) or _BEGUN.search(text)
        cut = begun.start() if begun is not None else len(text)
        self._held = text[cut:] + rest
        return plain(text[:cut])


def plain(text: str) -> str:
    """A text without control and invisible characters, with \\n as its only line end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _INVISIBLE.sub("", _CONTROLS.sub("", text))


def readable(text: bytes) -> str:
    """Bytes of a document as a model may read them: no control characters, \\n as line end, U+FFFD for bad bytes."""
    return _CONTROLS.sub("", text.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n"))
