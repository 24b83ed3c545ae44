"""Names of our own: methods beside the protocol's, commands, and a kind of code action."""

STATUS = "r1/status"
"""Server to client: how the engine is doing: {phase, detail, fraction, model}."""

ACCEPTED = "r1.accepted"
DISMISSED = "r1.dismissed"
WHY = "r1.why"
SHOW_STATUS = "r1.status"
RESTART_ENGINE = "r1.restartEngine"
EDIT_SELECTION = "r1.editSelection"
WRITE_DOCSTRING = "r1.writeDocstring"
CONVERT_MODEL = "r1.convertModel"

COMMANDS = (ACCEPTED, DISMISSED, WHY, SHOW_STATUS, RESTART_ENGINE, EDIT_SELECTION, WRITE_DOCSTRING, CONVERT_MODEL)
"""What `workspace/executeCommand` understands, in the order we announce it."""

SETTINGS_SECTION = "r1"

FIX_ALL = "source.fixAll.r1"
"""The kind of the action that makes all sure repairs; editors that fix on save name it, or `source.fixAll`."""
