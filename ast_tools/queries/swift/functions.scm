; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
; A wildcard stands for function_declaration: naming it costs the compiler of queries 0.3 s for each pattern.
(_ name: (simple_identifier) @name body: (function_body) @body) @function @parameters
(function_declaration "->" . (_) @returns) @function
(init_declaration name: "init" @name body: (_) @body) @function @parameters
(protocol_function_declaration name: (simple_identifier) @name) @function @parameters
(protocol_function_declaration "->" . (_) @returns) @function
(lambda_literal) @anonymous
(_ name: (simple_identifier) "async" @async body: (function_body))
(control_transfer_statement "return" result: (_) @value)
(function_body (statements . [(call_expression) (navigation_expression) (additive_expression) (ternary_expression)
  (line_string_literal) (simple_identifier)] @value .))
(control_transfer_statement (throw_keyword) [
  (call_expression . (_) @raise)
  (navigation_expression) @raise
])
(class_declaration name: (_) @container body: (_) @members)
(protocol_declaration name: (_) @container body: (_) @members)
