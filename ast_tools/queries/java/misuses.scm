; What the grammar takes and the language does not. @assigned: `=` where nothing can be assigned to.
; @typed: types of local variables without a value.
(binary_expression right: (assignment_expression operator: "=" @assigned))
(binary_expression left: (assignment_expression operator: "=" @assigned))
(block (local_variable_declaration type: (type_identifier) @typed declarator: (variable_declarator !value)))
