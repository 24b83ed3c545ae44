; Tags, on the names themselves: @definition.KIND, @reference.KIND.
(class_declaration name: (type_identifier) @definition.class)
(protocol_declaration name: (_) @definition.interface)
(_ name: (simple_identifier) @definition.function body: (function_body))
(protocol_function_declaration name: (simple_identifier) @definition.method)
(call_expression . (simple_identifier) @reference.call)
(call_expression . (navigation_expression suffix: (navigation_suffix suffix: (_) @reference.call)))
(inheritance_specifier inherits_from: (user_type (type_identifier) @reference.class))
