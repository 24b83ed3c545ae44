; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(call_expression . (simple_identifier) @reference.call)
(call_expression . (navigation_expression suffix: (navigation_suffix suffix: (simple_identifier) @reference.call)))
(type_identifier) @reference.type
(navigation_suffix suffix: (simple_identifier) @reference.member)
(simple_identifier) @reference.name
