; replaces
; What the grammar takes and the language does not. @assigned: `=` where nothing can be assigned to.
; @typed: types of local variables without a value.
(binary_expression right: (assignment_expression operator: "=" @assigned))
(compound_statement (declaration type: (type_identifier) @typed declarator: (identifier)))
(case_statement (declaration type: (type_identifier) @typed declarator: (identifier)))
