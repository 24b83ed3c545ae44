; Scopes around a place: @scope.KIND, @name, @body.
(namespace_definition name: (_) @name body: (_) @body) @scope.namespace
(class_declaration name: (_) @name body: (_) @body) @scope.class
(interface_declaration name: (_) @name body: (_) @body) @scope.interface
(trait_declaration name: (_) @name body: (_) @body) @scope.class
(enum_declaration name: (_) @name body: (_) @body) @scope.enum
(function_definition name: (_) @name body: (_) @body) @scope.function
(method_declaration name: (_) @name body: (_) @body) @scope.method
