; Parameters: @param.KIND, @name, @annotation, @default.
(_ (parameter name: (simple_identifier) @name name: (_) @annotation) @param.positional)
(_ (parameter name: (simple_identifier) @name name: (_) @annotation) @param.positional . "=" . default_value: (_) @default)
(_ (parameter name: (simple_identifier) @name name: (_) @annotation "...") @param.rest)
