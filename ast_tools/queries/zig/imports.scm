; What a file takes in.
(variable_declaration (builtin_function (builtin_identifier) @callee (#any-of? @callee "@import" "@cImport"))) @import
(variable_declaration (field_expression object: (builtin_function (builtin_identifier) @callee (#eq? @callee "@import"))))
  @import
(using_namespace_declaration) @import
