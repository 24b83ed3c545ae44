; Tags, on the names themselves: @definition.KIND, @reference.KIND.
(function_declaration name: (_) @definition.function)
(variable_declaration . (identifier) @definition.class [(struct_declaration) (union_declaration) (enum_declaration)])
(call_expression function: [(identifier) @reference.call (field_expression member: (_) @reference.call)])
