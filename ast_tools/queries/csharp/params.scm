; Parameters: @param.KIND, @name, @annotation, @default.
(parameter_list (parameter type: (_)? @annotation name: (_) @name) @param.positional)
(parameter_list (parameter type: (_)? @annotation name: (_) @name "=" (_) @default) @param.positional)
(parameter_list "params" type: (_) @annotation name: (_) @name @param.rest)
