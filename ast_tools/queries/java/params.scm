; Parameters: @param.KIND, @name, @annotation, @default.
(formal_parameters (formal_parameter type: (_) @annotation name: (_) @name) @param.positional)
(formal_parameters (spread_parameter (_) @annotation (variable_declarator name: (_) @name)) @param.rest)
