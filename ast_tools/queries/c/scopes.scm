; Scopes around a place: @scope.KIND, @name, @body.
(function_definition
  declarator: [
    (function_declarator declarator: (_) @name)
    (pointer_declarator (function_declarator declarator: (_) @name))
    (pointer_declarator (pointer_declarator (function_declarator declarator: (_) @name)))
  ]
  body: (_) @body) @scope.function
(struct_specifier name: (_) @name body: (_) @body) @scope.class
(union_specifier name: (_) @name body: (_) @body) @scope.class
(enum_specifier name: (_) @name body: (_) @body) @scope.enum
