; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression field: (field_identifier) @reference.call))
(type_identifier) @reference.type
(field_expression field: (field_identifier) @reference.member)
(field_designator (field_identifier) @reference.member)
(identifier) @reference.name
