; Tags, on the names themselves: @definition.KIND, @reference.KIND.
(function_declaration name: (_) @definition.function)
(method_declaration name: (_) @definition.method)
(type_spec name: (_) @definition.type)
(source_file (const_declaration (const_spec name: (identifier) @definition.constant)))
(call_expression function: [(identifier) @reference.call (selector_expression field: (_) @reference.call)])
(composite_literal type: (type_identifier) @reference.class)
