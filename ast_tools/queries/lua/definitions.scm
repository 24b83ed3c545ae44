; What a file defines: @definition.KIND, @name, and @body where a header ends.
(function_declaration
  name: [
    (identifier) @name
    (dot_index_expression table: (_) @container.name field: (_) @name)
    (method_index_expression table: (_) @container.name method: (_) @name)
  ]
  parameters: (_) @header body: (_)? @body) @definition.function
(assignment_statement
  (variable_list . name: [(identifier) @name (dot_index_expression table: (_) @container.name field: (_) @name)])
  (expression_list . value: (function_definition parameters: (_) @header body: (_)? @body))) @definition.function
(field name: (identifier) @name value: (function_definition parameters: (_) @header body: (_)? @body)) @definition.function
(chunk (variable_declaration (assignment_statement (variable_list name: (identifier) @name))) @definition.variable)
(chunk (assignment_statement (variable_list name: (_) @name)) @definition.variable)
