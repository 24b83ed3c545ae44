; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
(method_declaration returns: (_) @returns name: (_) @name parameters: (_) @parameters body: (_)? @body) @function
(constructor_declaration name: (_) @name parameters: (_) @parameters body: (_)? @body) @function
(local_function_statement type: (_) @returns name: (_) @name parameters: (_) @parameters body: (_)? @body) @function
(lambda_expression) @anonymous
(anonymous_method_expression) @anonymous
(class_declaration) @anonymous
((modifier) @async (#eq? @async "async"))
(return_statement (_) @value)
(arrow_expression_clause (_) @value)
(yield_statement) @yield
(throw_statement (object_creation_expression type: (_) @raise))
(throw_expression (object_creation_expression type: (_) @raise))
(class_declaration name: (_) @container body: (_) @members)
(struct_declaration name: (_) @container body: (_) @members)
(record_declaration name: (_) @container body: (_) @members)
(interface_declaration name: (_) @container body: (_) @members)
