; Scopes around a place: @scope.KIND, @name, @body.
(class name: (_) @name body: (_) @body) @scope.class
(module name: (_) @name body: (_) @body) @scope.namespace
(singleton_class value: (_) @name body: (_) @body) @scope.class
(method name: (_) @name body: (_) @body) @scope.function
(singleton_method name: (_) @name body: (_) @body) @scope.function
