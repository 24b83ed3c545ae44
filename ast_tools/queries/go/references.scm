; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(call_expression function: (identifier) @reference.call)
(call_expression function: (selector_expression field: (field_identifier) @reference.call))
(type_identifier) @reference.type
(selector_expression field: (field_identifier) @reference.member)
(literal_value (keyed_element . (literal_element (identifier) @reference.member)))
(package_identifier) @reference.name
(identifier) @reference.name
