; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
[(function_definition) (compound_statement) (for_statement) (field_declaration_list)] @region
(function_definition
  declarator: [
    (function_declarator declarator: (_) @name.function)
    (pointer_declarator (function_declarator declarator: (_) @name.function))
  ]) @outside
(declaration
  declarator: [
    (function_declarator declarator: (identifier) @name.function)
    (pointer_declarator (function_declarator declarator: (identifier) @name.function))
  ])
(struct_specifier name: (_) @name.class body: (_))
(union_specifier name: (_) @name.class body: (_))
(enum_specifier name: (_) @name.enum body: (_))
(enumerator name: (_) @name.constant)
(type_definition declarator: (type_identifier) @name.type)
(type_definition declarator: (pointer_declarator (type_identifier) @name.type))
(preproc_def name: (_) @name.macro)
(preproc_function_def name: (_) @name.macro)
(preproc_params (identifier) @name.parameter)
(declaration declarator: (identifier) @name.variable)
(declaration declarator: (array_declarator declarator: (identifier) @name.variable))
(declaration declarator: (pointer_declarator declarator: (identifier) @name.variable))
(init_declarator declarator: (identifier) @name.variable)
(init_declarator declarator: (_ declarator: (identifier) @name.variable))
(init_declarator declarator: (_ declarator: (_ declarator: (identifier) @name.variable)))
(parameter_declaration declarator: (identifier) @name.parameter)
(parameter_declaration declarator: (_ declarator: (identifier) @name.parameter))
(parameter_declaration declarator: (_ declarator: (_ declarator: (identifier) @name.parameter)))
(parameter_declaration
  declarator: (function_declarator declarator: (parenthesized_declarator (_ declarator: (identifier) @name.parameter))))
(field_declaration declarator: (field_identifier) @name.field)
(field_declaration declarator: [
  (pointer_declarator declarator: (field_identifier) @name.field)
  (pointer_declarator declarator: (_ declarator: (field_identifier) @name.field))
  (array_declarator declarator: (field_identifier) @name.field)
  (function_declarator declarator: (parenthesized_declarator (_ declarator: (field_identifier) @name.field)))
])
(labeled_statement label: (_) @name.label)
