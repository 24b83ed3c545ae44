; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
(function_definition
  type: (_) @returns
  declarator: [
    (function_declarator declarator: (_) @name parameters: (_) @parameters) @returns.end
    (pointer_declarator (function_declarator declarator: (_) @name parameters: (_) @parameters) @returns.end)
  ]
  body: (_) @body) @function
(translation_unit (declaration
  type: (_) @returns
  declarator: [
    (function_declarator declarator: (identifier) @name parameters: (_) @parameters) @returns.end
    (pointer_declarator (function_declarator declarator: (identifier) @name parameters: (_) @parameters) @returns.end)
  ]) @function)
(return_statement (_) @value)
