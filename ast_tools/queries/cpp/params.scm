; replaces: C++ has defaults and packs of parameters.
(parameter_list (parameter_declaration
  type: (_)
  declarator: [
    (identifier) @name
    (_ declarator: (identifier) @name)
    (_ declarator: (_ declarator: (identifier) @name))
    (parenthesized_declarator (_ declarator: (identifier) @name))
    (function_declarator declarator: (parenthesized_declarator (_ declarator: (identifier) @name)))
  ]) @param.positional @annotation.around)
(parameter_list (parameter_declaration
  type: (_)
  declarator: (reference_declarator (identifier) @name)) @param.positional @annotation.around)
(parameter_list (optional_parameter_declaration
  type: (_)
  declarator: [(identifier) @name (_ (identifier) @name)]
  default_value: (_) @default) @param.positional @annotation.around)
(parameter_list (variadic_parameter_declaration
  type: (_)
  declarator: (_ (identifier) @name)) @param.rest @annotation.around)
(parameter_list "..." @name @param.rest)
