; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(call_expression . (identifier) @reference.call)
(call_expression . (navigation_expression (_) (identifier) @reference.call .))
(constructor_invocation (user_type (identifier) @reference.call))
(user_type (identifier) @reference.type)
(annotation (user_type (identifier) @reference.type))
(navigation_expression (_) (identifier) @reference.member)
(callable_reference (identifier) @reference.member .)
((identifier) @reference.name (#not-any-of? @reference.name "true" "false" "null" "continue" "break" "return" "this"))
