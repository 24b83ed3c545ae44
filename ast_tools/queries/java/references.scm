; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(method_invocation name: (identifier) @reference.call)
(object_creation_expression type: (type_identifier) @reference.call)
(method_reference (_) . "::" (identifier) @reference.member)
(annotation name: (_) @reference.type)
(marker_annotation name: (_) @reference.type)
((type_identifier) @reference.type (#not-eq? @reference.type "var"))
(field_access field: (identifier) @reference.member)
(identifier) @reference.name
