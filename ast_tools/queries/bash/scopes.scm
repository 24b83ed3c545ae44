; Scopes around a place: @scope.KIND, @name, @body.
(function_definition name: (_) @name body: (_) @body) @scope.function
