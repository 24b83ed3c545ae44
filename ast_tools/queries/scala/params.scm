; Parameters: @param.KIND, @name, @annotation, @default.
(parameters (parameter name: (_) @name type: (_)? @annotation default_value: (_)? @default) @param.positional)
