(class_specifier name: (_) @name body: (_) @body) @scope.class
(namespace_definition name: (_) @name body: (_) @body) @scope.namespace
(concept_definition name: (_) @name) @scope.type
(function_definition
  declarator: (reference_declarator (function_declarator declarator: (_) @name))
  body: (_) @body) @scope.function
