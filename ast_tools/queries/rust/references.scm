; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression field: (field_identifier) @reference.call))
(call_expression function: (scoped_identifier name: (identifier) @reference.call))
(call_expression function: (generic_function function: (identifier) @reference.call))
(macro_invocation macro: (identifier) @reference.call)
(type_identifier) @reference.type
(field_expression field: (field_identifier) @reference.member)
(field_initializer field: (field_identifier) @reference.member)
(shorthand_field_initializer (identifier) @reference.name)
(identifier) @reference.name
