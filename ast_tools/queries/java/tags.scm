; Tags, on the names themselves: @definition.KIND, @reference.KIND.
[(class_declaration name: (_) @definition.class) (record_declaration name: (_) @definition.class)]
[(interface_declaration name: (_) @definition.interface) (enum_declaration name: (_) @definition.enum)]
[(method_declaration name: (_) @definition.method) (constructor_declaration name: (_) @definition.method)]
(field_declaration declarator: (variable_declarator name: (_) @definition.field))
(method_invocation name: (_) @reference.call)
(object_creation_expression type: (type_identifier) @reference.class)
(superclass (type_identifier) @reference.class)
(type_list (type_identifier) @reference.class)
(import_declaration (scoped_identifier name: (_) @reference.import))
