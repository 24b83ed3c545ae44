; What the grammar takes and the language does not. @assigned: `=` where nothing can be assigned to.
(binary_expression right: (assignment_expression operator: "=" @assigned))
(binary_expression left: (assignment_expression operator: "=" @assigned))
