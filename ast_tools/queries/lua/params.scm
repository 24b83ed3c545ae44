; Parameters: @param.KIND, @name.
(parameters name: (identifier) @name @param.positional)
(parameters (vararg_expression) @name @param.rest)
