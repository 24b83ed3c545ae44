; Scopes around a place: @scope.KIND, @name, @body.
(function_declaration name: (_) @name body: (_) @body) @scope.function
(variable_declaration . (identifier) @name [(struct_declaration) (union_declaration) (opaque_declaration)] @body)
  @scope.class
(variable_declaration . (identifier) @name (enum_declaration) @body) @scope.enum
(test_declaration (_)? @name (block) @body) @scope.function
