; Scopes around a place: @scope.KIND, @name, @body.
(function_declaration name: (identifier) @name body: (statement_block) @body) @scope.function
(generator_function_declaration name: (identifier) @name body: (statement_block) @body) @scope.function
(variable_declarator
  name: (identifier) @name
  value: [
    (arrow_function body: (statement_block) @body)
    (function_expression body: (statement_block) @body)
    (generator_function body: (statement_block) @body)
  ]) @scope.function
(assignment_expression
  left: (_) @name
  right: [
    (arrow_function body: (statement_block) @body)
    (function_expression body: (statement_block) @body)
  ]) @scope.function
(pair
  key: (_) @name
  value: [
    (arrow_function body: (statement_block) @body)
    (function_expression body: (statement_block) @body)
  ]) @scope.function
(method_definition name: (_) @name body: (statement_block) @body) @scope.method
(class_declaration name: (_) @name body: (class_body) @body) @scope.class
(class name: (_) @name body: (class_body) @body) @scope.class
