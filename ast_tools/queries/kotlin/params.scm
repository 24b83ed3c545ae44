; Parameters: @param.KIND, @name, @annotation, @default.
(function_value_parameters (parameter . (identifier) @name (_) @annotation) @param.positional)
(function_value_parameters (parameter . (identifier) @name (_) @annotation) @param.positional . "=" . (_) @default)
(function_value_parameters (parameter_modifiers (parameter_modifier "vararg"))
  . (parameter . (identifier) @name (_) @annotation) @param.rest)
