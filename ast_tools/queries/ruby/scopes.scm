; Scopes around a place: @scope.KIND, @name, @body; @header: where the header of an empty one ends.
(class name: (_) @name superclass: (_)? @header body: (_)? @body) @scope.class
(module name: (_) @name body: (_)? @body) @scope.namespace
(singleton_class value: (_) @name body: (_)? @body) @scope.class
(method name: (_) @name parameters: (_)? @header body: (_)? @body) @scope.function
(singleton_method name: (_) @name parameters: (_)? @header body: (_)? @body) @scope.function
