; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(call method: [(identifier) (constant)] @reference.call)
(constant) @reference.type
[(instance_variable) (class_variable)] @reference.member
[(identifier) (global_variable)] @reference.name
