; Functions: @function, @name, @parameters, @body; facts of the body itself: @value, @yield, @raise.
(function_declaration
  name: [
    (identifier) @name
    (dot_index_expression table: (_) @container.name field: (_) @name)
    (method_index_expression table: (_) @container.name method: (_) @name)
  ]
  parameters: (_) @parameters body: (_)? @body) @function
(assignment_statement
  (variable_list . name: [(identifier) @name (dot_index_expression table: (_) @container.name field: (_) @name)])
  (expression_list . value: (function_definition parameters: (_) @parameters body: (_)? @body) @code)) @function
(field name: (identifier) @name
  value: (function_definition parameters: (_) @parameters body: (_)? @body) @code) @function
(function_definition) @anonymous
(return_statement (expression_list) @value)
(function_call name: (identifier) @raise (#eq? @raise "error"))
(function_call name: (dot_index_expression) @yield (#eq? @yield "coroutine.yield"))
