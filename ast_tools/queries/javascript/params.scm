; Parameters: @param.KIND, @name, @annotation, @default.
(formal_parameters (identifier) @name @param.positional)
(formal_parameters [(object_pattern) (array_pattern)] @name @param.positional)
(formal_parameters (assignment_pattern left: (_) @name right: (_) @default) @param.positional)
(formal_parameters (rest_pattern (_) @name) @param.rest)
(arrow_function parameter: (identifier) @name @param.positional)
