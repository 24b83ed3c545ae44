(type_identifier) @reference.type
(nested_type_identifier (identifier) @reference.type)
(extends_clause value: (identifier) @reference.type)
