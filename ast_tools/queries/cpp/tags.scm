(class_specifier name: (_) @definition.class body: (_))
(namespace_definition name: (_) @definition.namespace)
(alias_declaration name: (_) @definition.type)
(function_definition declarator: (function_declarator
  declarator: [(field_identifier) @definition.method (qualified_identifier name: (identifier) @definition.method)]))
(field_declaration declarator: (function_declarator declarator: (field_identifier) @definition.method))
(call_expression function: [
  (qualified_identifier name: (identifier) @reference.call)
  (template_function name: (identifier) @reference.call)
])
(new_expression type: (type_identifier) @reference.class)
(base_class_clause (type_identifier) @reference.class)
