; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
(function_declaration name: (_) @name (function_value_parameters) @parameters (function_body)? @body) @function
(function_declaration name: (_) @name (function_value_parameters) @parameters
  . [(user_type) (nullable_type) (function_type) (parenthesized_type)] @returns (function_body)? @body) @function
(lambda_literal) @anonymous
(anonymous_function) @anonymous
(function_modifier "suspend" @async)
(return_expression (_) @value)
(function_body "=" (_) @value)
(throw_expression (call_expression . (_) @raise))
(class_declaration name: (_) @container (class_body) @members)
(object_declaration name: (_) @container (class_body) @members)
