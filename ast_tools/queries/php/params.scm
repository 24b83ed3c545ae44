; Parameters: @param.KIND, @name, @annotation, @default.
(formal_parameters (simple_parameter type: (_)? @annotation name: (_) @name default_value: (_)? @default) @param.positional)
(formal_parameters (property_promotion_parameter type: (_)? @annotation name: (_) @name default_value: (_)? @default)
  @param.positional)
(formal_parameters (variadic_parameter type: (_)? @annotation name: (_) @name) @param.rest)
