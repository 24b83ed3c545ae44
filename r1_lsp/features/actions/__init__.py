"""What can be done about a place in a file: a table of actions, one file each."""

from r1_lsp.features.actions.edit_selection import edited
from r1_lsp.features.actions.offer import Action, Offer, Place, Related, Report, Task
from r1_lsp.features.actions.table import ACTIONS, action_named, offers
from r1_lsp.features.actions.write_docstring import written

__all__ = [
    "ACTIONS", "Action", "Offer", "Place", "Related", "Report", "Task", "action_named", "offers", "edited", "written",
]  # fmt: skip
