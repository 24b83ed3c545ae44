; Parameters: @param.KIND, @name, @annotation.
(parameters (parameter name: (identifier) @name type: (_)? @annotation) @param.positional)
