; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
(function_declaration name: (_) @name (parameters) @parameters type: (_)? @returns body: (_)? @body) @function
(return_expression (_) @value)
(return_expression (error_type) @raise)
(variable_declaration . (identifier) @container [(struct_declaration) (union_declaration) (enum_declaration)] @members)
