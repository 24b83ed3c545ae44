; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
; @anonymous functions keep their facts to themselves. @container with its @members; @decorator.
(method_declaration type: (_) @returns name: (_) @name parameters: (_) @parameters body: (_)? @body) @function
(constructor_declaration name: (_) @name parameters: (_) @parameters body: (_) @body) @function
(lambda_expression) @anonymous
(class_body) @anonymous
(return_statement (_) @value)
(throw_statement (object_creation_expression type: (_) @raise))
(throws (_) @raise)
(class_declaration name: (_) @container body: (_) @members)
(record_declaration name: (_) @container body: (_) @members)
(interface_declaration name: (_) @container body: (_) @members)
(enum_declaration name: (_) @container body: (enum_body (enum_body_declarations) @members))
