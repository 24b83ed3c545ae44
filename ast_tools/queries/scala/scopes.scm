; Scopes around a place: @scope.KIND, @name, @body.
(class_definition name: (_) @name body: (_) @body) @scope.class
(object_definition name: (_) @name body: (_) @body) @scope.class
(package_object name: (_) @name body: (_) @body) @scope.namespace
(trait_definition name: (_) @name body: (_) @body) @scope.interface
(enum_definition name: (_) @name body: (_) @body) @scope.enum
(function_definition name: (_) @name body: (_) @body) @scope.function
