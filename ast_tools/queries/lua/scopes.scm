; Scopes around a place: @scope.KIND, @name, @body.
(function_declaration
  name: [
    (identifier) @name
    (dot_index_expression field: (_) @name)
    (method_index_expression method: (_) @name)
  ]
  parameters: (_) @header body: (_)? @body) @scope.function
(assignment_statement
  (variable_list . name: [(identifier) @name (dot_index_expression field: (_) @name)])
  (expression_list . value: (function_definition parameters: (_) @header body: (_)? @body))) @scope.function
(field name: (identifier) @name value: (function_definition parameters: (_) @header body: (_)? @body)) @scope.function
