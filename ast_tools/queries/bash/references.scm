; Names used: @reference.KIND; of several for one place the first of call, type, member, name counts.
(command name: (command_name (word) @reference.call))
[(simple_expansion (variable_name) @reference.name) (expansion (variable_name) @reference.name)
 (expansion (subscript (variable_name) @reference.name)) (subscript name: (variable_name) @reference.name)
 (binary_expression (variable_name) @reference.name) (arithmetic_expansion (variable_name) @reference.name)]
