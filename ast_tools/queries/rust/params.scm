; Parameters: @param.KIND, @name, @annotation, @default.
(parameters (parameter pattern: [(identifier) (tuple_pattern) (struct_pattern) (slice_pattern)] @name
  type: (_) @annotation) @param.positional)
(parameters (parameter pattern: (mut_pattern (identifier) @name) type: (_) @annotation) @param.positional)
(parameters (parameter (mutable_specifier) pattern: (identifier) @name type: (_) @annotation) @param.positional)
