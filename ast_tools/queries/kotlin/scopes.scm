; Scopes around a place: @scope.KIND, @name, @body.
(class_declaration name: (_) @name [(class_body) (enum_class_body)] @body) @scope.class
(object_declaration name: (_) @name (class_body) @body) @scope.class
(function_declaration name: (_) @name (function_body) @body) @scope.function
