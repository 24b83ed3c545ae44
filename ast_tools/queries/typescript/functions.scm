(function_declaration name: (_) @name parameters: (_) @parameters return_type: (_) @returns body: (_) @body) @function
(method_definition name: (_) @name parameters: (_) @parameters return_type: (_) @returns body: (_) @body) @function
(variable_declarator name: (identifier) @name
  value: (arrow_function parameters: (_) @parameters return_type: (_) @returns body: (_) @body) @code) @function
(variable_declarator name: (identifier) @name
  value: (function_expression parameters: (_) @parameters return_type: (_) @returns body: (_) @body) @code) @function
(export_statement "default" @name
  value: (arrow_function parameters: (_) @parameters return_type: (_) @returns body: (_) @body) @code) @function
(export_statement "default" @name value: [
  (function_expression !name parameters: (_) @parameters return_type: (_) @returns body: (_) @body)
  (generator_function !name parameters: (_) @parameters return_type: (_) @returns body: (_) @body)
] @code) @function
(public_field_definition name: (_) @name
  value: (arrow_function parameters: (_) @parameters body: (_) @body) @code) @function
(function_signature name: (_) @name parameters: (_) @parameters return_type: (_)? @returns) @function
(method_signature name: (_) @name parameters: (_) @parameters return_type: (_)? @returns) @function
(abstract_method_signature name: (_) @name parameters: (_) @parameters return_type: (_)? @returns) @function
(abstract_class_declaration name: (_) @container body: (class_body) @members)
(interface_declaration name: (_) @container body: (_) @members)
(public_field_definition name: (_) @name
  value: (arrow_function parameters: (_) @parameters return_type: (_) @returns body: (_) @body) @code) @function
