; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(call_expression function: (identifier) @reference.call)
(call_expression function: (member_expression property: (_) @reference.call))
(new_expression constructor: (identifier) @reference.call)
(member_expression property: (_) @reference.member)
(shorthand_property_identifier) @reference.name
(identifier) @reference.name
