; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression field: (_) @reference.call))
(call_expression function: (generic_function function: (identifier) @reference.call))
(call_expression function: (generic_function function: (field_expression field: (_) @reference.call)))
(instance_expression (type_identifier) @reference.call)
(infix_expression operator: (identifier) @reference.call)
(type_identifier) @reference.type
(field_expression field: (identifier) @reference.member)
(identifier) @reference.name
