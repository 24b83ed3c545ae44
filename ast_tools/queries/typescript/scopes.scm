(abstract_class_declaration name: (_) @name body: (class_body) @body) @scope.class
(interface_declaration name: (_) @name body: (_) @body) @scope.interface
(enum_declaration name: (_) @name body: (_) @body) @scope.enum
(internal_module name: (_) @name body: (_) @body) @scope.namespace
(module name: (_) @name body: (_) @body) @scope.namespace
(public_field_definition
  name: (_) @name
  value: (arrow_function body: (statement_block) @body)) @scope.method
