"""Makes the weights with which `ast_tools.repair` ranks edits of brackets."""
