"""Makes model text fit a caret: cut where the unit ends, drop what stands there, close, re-indent, judge."""

from ast_tools.completion.cutter import CutResult, Cutter
from ast_tools.completion.reasons import REASONS

__all__ = ["Cutter", "CutResult", "REASONS"]
