; Scopes around a place: @scope.KIND, @name, @body.
(function_declaration name: (_) @name body: (_) @body) @scope.function
(method_declaration name: (_) @name body: (_) @body) @scope.method
(type_declaration (type_spec name: (_) @name type: (struct_type (field_declaration_list) @body))) @scope.class
(type_declaration (type_spec name: (_) @name type: (interface_type "{" @body))) @scope.interface
(short_var_declaration
  left: (expression_list . (identifier) @name)
  right: (expression_list . (func_literal body: (_) @body))) @scope.function
