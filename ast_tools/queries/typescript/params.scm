; replaces: TypeScript wraps every parameter.
(required_parameter pattern: [(identifier) (object_pattern) @object (array_pattern)] @name
  type: (_)? @annotation value: (_)? @default) @param.positional
(optional_parameter pattern: (_) @name type: (_)? @annotation value: (_)? @default) @param.positional @optional
(required_parameter pattern: (rest_pattern (_) @name) type: (_)? @annotation) @param.rest
(arrow_function parameter: (identifier) @name @param.positional)
