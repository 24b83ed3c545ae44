; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
; @anonymous functions keep their facts to themselves. @code is the node that is a function, where @function is more.
(function_declaration name: (_) @name parameters: (_) @parameters body: (_) @body) @function
(generator_function_declaration name: (_) @name parameters: (_) @parameters body: (_) @body) @function
(variable_declarator
  name: (identifier) @name
  value: [
    (arrow_function parameters: (_) @parameters body: (_) @body)
    (arrow_function parameter: (_) @parameters body: (_) @body)
    (function_expression parameters: (_) @parameters body: (_) @body)
    (generator_function parameters: (_) @parameters body: (_) @body)
  ] @code) @function
(assignment_expression
  left: (_) @name
  right: [
    (arrow_function parameters: (_) @parameters body: (_) @body)
    (function_expression parameters: (_) @parameters body: (_) @body)
  ] @code) @function
(pair
  key: (property_identifier) @name
  value: [
    (arrow_function parameters: (_) @parameters body: (_) @body)
    (function_expression parameters: (_) @parameters body: (_) @body)
  ] @code) @function
(method_definition name: (_) @name parameters: (_) @parameters body: (_) @body) @function
(export_statement "default" @name value: [
  (arrow_function parameters: (_) @parameters body: (_) @body)
  (arrow_function parameter: (_) @parameters body: (_) @body)
  (function_expression !name parameters: (_) @parameters body: (_) @body)
  (generator_function !name parameters: (_) @parameters body: (_) @body)
] @code) @function
(arrow_function) @anonymous
(function_expression) @anonymous
(generator_function) @anonymous
(class_declaration) @anonymous
(_ "async" @async)
(return_statement (_) @value (#not-eq? @value "undefined"))
(arrow_function body: (_) @value)
(yield_expression) @yield
(throw_statement (new_expression constructor: [(identifier) (member_expression)] @raise))
(throw_statement (call_expression function: (identifier) @raise.type (#match? @raise.type "^[A-Z]")))
(class_declaration name: (_) @container body: (class_body) @members)
(class name: (_) @container body: (class_body) @members)
(decorator) @decorator
