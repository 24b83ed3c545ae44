; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
(function_declaration name: (_) @name parameters: (_) @parameters result: (_)? @returns body: (_)? @body) @function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @container.name
    (pointer_type (type_identifier) @container.name)
    (generic_type type: (_) @container.name)
    (pointer_type (generic_type type: (_) @container.name))
  ]))
  name: (_) @name parameters: (_) @parameters result: (_)? @returns body: (_)? @body) @function
(method_elem name: (_) @name parameters: (_) @parameters result: (_)? @returns) @function
(func_literal) @anonymous
(return_statement (expression_list) @value)
(call_expression function: (identifier) @raise (#eq? @raise "panic"))
(type_declaration (type_spec name: (_) @container type: (interface_type) @members))
