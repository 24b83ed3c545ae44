(function_definition
  !type
  declarator: (function_declarator declarator: (_) @name parameters: (_) @parameters)
  body: (_) @body) @function
(function_definition
  type: (_) @returns
  declarator: (reference_declarator (function_declarator declarator: (_) @name parameters: (_) @parameters) @returns.end)
  body: (_) @body) @function
(field_declaration
  type: (_) @returns
  declarator: [
    (function_declarator declarator: (field_identifier) @name parameters: (_) @parameters) @returns.end
    (_ (function_declarator declarator: (field_identifier) @name parameters: (_) @parameters) @returns.end)
  ]) @function
(lambda_expression) @anonymous
(throw_statement (call_expression function: (_) @raise))
(throw_statement (identifier) @raise.type (#match? @raise.type "^[A-Z]"))
(class_specifier name: (_) @container body: (_) @members)
(struct_specifier name: (_) @container body: (_) @members)
