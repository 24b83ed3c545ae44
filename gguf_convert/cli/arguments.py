"""The arguments of a subcommand: argparse, with one sentence for a wrong call."""

import argparse
import math
import re
from typing import Final, NoReturn

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)
_DIGITS: Final = 30
_POWERS: Final = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


class Misuse(Exception):
    """A sentence for somebody who called the command wrongly."""


class Arguments(argparse.ArgumentParser):
    """argparse whose errors are Misuse."""

    def error(self, message: str) -> NoReturn:
        raise Misuse(f"{message}; `{self.prog} --help` shows the usage")


def size(text: str) -> int:
    """Bytes from what people write: 2GB, 300 MB, 1.5GiB, 4096."""
    found = _SIZE.fullmatch(text.strip())
    if not found or len(found[1]) > _DIGITS:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 300MB or 2GB")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** _POWERS[found[2].upper()])


def count(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def bits(text: str) -> float:
    """Bits per weight: a number from 1 to 16."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 16:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of bits from 1 to 16")
    return value


def divergence(text: str) -> float:
    """A Kullback-Leibler divergence in nats: a number that is not negative."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no divergence in nats such as 0.05")
    return value
