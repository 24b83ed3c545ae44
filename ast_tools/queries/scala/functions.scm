; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
(function_definition name: (_) @name . (type_parameters)? . parameters: (parameters) @parameters
  return_type: (_)? @returns body: (_) @body) @function
(function_definition name: (_) @name !parameters return_type: (_)? @returns body: (_) @body) @function
(function_declaration name: (_) @name . (type_parameters)? . parameters: (parameters) @parameters
  return_type: (_) @returns) @function
(lambda_expression) @anonymous
(template_body) @anonymous
(function_definition body: (block (_) @value .))
(function_definition body: (indented_block (_) @value .))
(throw_expression (instance_expression . (_) @raise))
(class_definition name: (_) @container body: (_) @members)
(object_definition name: (_) @container body: (_) @members)
(trait_definition name: (_) @container body: (_) @members)
