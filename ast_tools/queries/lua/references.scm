; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(function_call name: (identifier) @reference.call)
(function_call name: (dot_index_expression field: (identifier) @reference.call))
(function_call name: (method_index_expression method: (identifier) @reference.call))
(dot_index_expression field: (identifier) @reference.member)
(method_index_expression method: (identifier) @reference.member)
(identifier) @reference.name
