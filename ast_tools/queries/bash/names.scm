; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
(function_definition) @region
(function_definition name: (_) @name.function) @outside
(variable_assignment name: (variable_name) @name.variable)
(variable_assignment name: (subscript name: (variable_name) @name.variable))
(declaration_command (variable_name) @name.variable)
(for_statement variable: (variable_name) @name.variable)
((command name: (command_name) @callee argument: (word) @name.variable) (#eq? @callee "read") (#not-match? @name.variable "^-"))
