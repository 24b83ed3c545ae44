; Import statements, and the calls that do the same.
(import_statement) @import
(export_statement source: (string)) @import
(_ (variable_declarator value: (call_expression function: (identifier) @callee (#eq? @callee "require")))) @import
(_ (variable_declarator
  value: (member_expression object: (call_expression function: (identifier) @callee (#eq? @callee "require"))))) @import
