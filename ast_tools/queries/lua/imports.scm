; What a file takes in.
(variable_declaration (assignment_statement (expression_list value: (function_call name: (identifier) @callee
  (#eq? @callee "require"))))) @import
((function_call name: (identifier) @callee (#any-of? @callee "require" "dofile")) @import)
