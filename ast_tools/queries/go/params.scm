; Parameters: @param.KIND, @name, @annotation, @default.
(parameter_list (parameter_declaration name: (identifier) @name @param.positional type: (_) @annotation))
(parameter_list (variadic_parameter_declaration name: (identifier) @name @param.rest type: (_) @annotation))
