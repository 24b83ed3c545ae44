; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(call function: (identifier) @reference.call)
(call function: (attribute attribute: (identifier) @reference.call))
(decorator (identifier) @reference.call)
(decorator (attribute attribute: (identifier) @reference.call))
(type (identifier) @reference.type)
(type (generic_type (identifier) @reference.type))
(type (binary_operator (identifier) @reference.type))
(class_definition superclasses: (argument_list (identifier) @reference.type))
(attribute attribute: (identifier) @reference.member)
(identifier) @reference.name
