; Parameters: @param.KIND, @name, @annotation, @default; @object: a pattern with parts.
(formal_parameters (identifier) @name @param.positional)
(formal_parameters [(object_pattern) @object (array_pattern)] @name @param.positional)
(formal_parameters (assignment_pattern left: [(identifier) (object_pattern) @object (array_pattern)] @name right: (_) @default) @param.positional)
(formal_parameters (rest_pattern (_) @name) @param.rest)
(arrow_function parameter: (identifier) @name @param.positional)
