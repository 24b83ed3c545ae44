"""What can be done about a place in a file: a table of actions, one file each."""

from r1_lsp.features.actions.edit_selection import edited
from r1_lsp.features.actions.offer import FIX_ALL, Action, Offer, Place, Related, Report, Task
from r1_lsp.features.actions.table import ACTIONS, action_named, offers, wanted
from r1_lsp.features.actions.write_docstring import written

__all__ = [
    "ACTIONS", "Action", "Offer", "Place", "Related", "Report", "Task", "action_named", "offers", "wanted", "FIX_ALL",
    "edited", "written",
]  # fmt: skip
