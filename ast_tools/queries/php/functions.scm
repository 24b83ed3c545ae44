; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
(function_definition name: (_) @name parameters: (_) @parameters return_type: (_)? @returns body: (_) @body) @function
(method_declaration name: (_) @name parameters: (_) @parameters return_type: (_)? @returns body: (_)? @body) @function
(anonymous_function) @anonymous
(arrow_function) @anonymous
(anonymous_class) @anonymous
(return_statement (_) @value)
(yield_expression) @yield
(throw_expression (object_creation_expression [(name) (qualified_name)] @raise))
(class_declaration name: (_) @container body: (_) @members)
(interface_declaration name: (_) @container body: (_) @members)
(trait_declaration name: (_) @container body: (_) @members)
(enum_declaration name: (_) @container body: (_) @members)
