; What the grammar takes and the language does not. @assigned: `=` where nothing can be assigned to. @separated: an
; operator before which a comma is missing; @adjacent: a name beside a string. @reserved: a keyword as a value.
; @plain: variables that cannot be called. @declared: names that are declared in any way. @typed: types of local
; variables without a value.
(binary_expression right: (assignment_expression operator: "=" @assigned))
(binary_expression left: (assignment_expression operator: "=" @assigned))
(assignment_expression left: (parenthesized_expression (binary_expression)) operator: "=" @assigned)
(concatenated_string (identifier) @adjacent)
(binary_expression left: (string_literal) operator: "&" @separated)
(binary_expression left: (pointer_expression operator: "&") operator: "&" @separated)
(call_expression function: (identifier) @reserved
  (#any-of? @reserved "int" "char" "float" "double" "long" "short" "if" "return" "union"))
(assignment_expression right: (identifier) @reserved
  (#any-of? @reserved "int" "char" "float" "double" "long" "short" "if" "return" "break" "continue"))
(call_expression
  function: (identifier) @_known
  arguments: (argument_list (identifier) @reserved)
  (#any-of? @_known "printf" "scanf" "malloc" "calloc" "realloc" "pow" "sqrt" "strlen" "puts" "putchar")
  (#any-of? @reserved "int" "char" "float" "double" "long" "short" "if" "return" "break" "continue"))
(declaration type: (primitive_type) declarator: (identifier) @plain)
(declaration type: (primitive_type) declarator: (init_declarator declarator: (identifier) @plain))
(declaration type: (primitive_type) declarator: (array_declarator declarator: (identifier) @plain))
(parameter_declaration type: (primitive_type) declarator: (identifier) @plain)
(array_declarator declarator: (identifier) @declared)
(pointer_declarator declarator: (identifier) @declared)
(function_declarator declarator: (identifier) @declared)
(parenthesized_declarator (identifier) @declared)
(compound_statement (declaration type: (type_identifier) @typed declarator: (identifier)))
(case_statement (declaration type: (type_identifier) @typed declarator: (identifier)))
