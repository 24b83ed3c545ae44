"""From a request to the text a model reads: infill layouts, chat templates, the reasoning parser, prompt budgets."""
