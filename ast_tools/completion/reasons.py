"""Why a completion was stopped or rejected."""

REASONS: dict[str, str] = {
    "complete": "The statement is complete.",
    "block_end": "The block is complete.",
    "closer": "The bracket or closing word that comes next already stands after the cursor.",
    "surplus": "The bracket or closing word that comes next would close nothing.",
    "suffix": "The lines that come next already stand after the cursor.",
    "loop": "The model began to repeat itself.",
    "limit": "The text is as long as a suggestion may be.",
    "blank": "The model wrote nothing but white space.",
    "nothing_new": "What the model wrote already stands after the cursor.",
    "adds_errors": "The file would have more syntax errors than before.",
    "leaves_block": "The lines below the cursor would have become part of something else.",
}
"""Every reason code, with its sentence. The first seven end a text, the last four reject it (and "loop" can)."""
