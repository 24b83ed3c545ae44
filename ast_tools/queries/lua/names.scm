; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
[(function_declaration) (function_definition) (block) (for_statement) (do_statement) (repeat_statement)] @region
(function_declaration name: (identifier) @name.function) @outside
(function_declaration name: (dot_index_expression field: (identifier) @name.function)) @outside
(function_declaration name: (method_index_expression method: (identifier) @name.method)) @outside
(variable_declaration (assignment_statement (variable_list name: (identifier) @name.variable)))
(variable_declaration (variable_list name: (identifier) @name.variable))
(assignment_statement (variable_list name: (dot_index_expression field: (identifier) @name.field)))
(for_generic_clause (variable_list name: (identifier) @name.variable))
(for_numeric_clause name: (identifier) @name.variable)
(parameters name: (identifier) @name.parameter)
(field name: (identifier) @name.field)
(label_statement (identifier) @name.label)
