; Parameters: @param.KIND, @name, @annotation, @default.
(parameter_list (parameter_declaration
  type: (_)
  declarator: [
    (identifier) @name
    (_ declarator: (identifier) @name)
    (_ declarator: (_ declarator: (identifier) @name))
    (parenthesized_declarator (_ declarator: (identifier) @name))
    (function_declarator declarator: (parenthesized_declarator (_ declarator: (identifier) @name)))
  ]) @param.positional @annotation.around)
(parameter_list (variadic_parameter) @name @param.rest)
