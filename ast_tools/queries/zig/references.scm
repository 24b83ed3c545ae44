; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression member: (identifier) @reference.call))
(builtin_identifier) @reference.call
(parameter type: (identifier) @reference.type)
(parameter type: (_ (identifier) @reference.type))
(container_field type: (identifier) @reference.type)
(function_declaration type: (identifier) @reference.type)
(field_expression member: (identifier) @reference.member)
(field_initializer . (identifier) @reference.member)
(identifier) @reference.name
