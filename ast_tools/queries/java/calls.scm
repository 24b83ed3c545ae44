; Calls: @call, @callee, @arguments.
(method_invocation name: (_) @callee arguments: (_) @arguments) @call
(object_creation_expression type: (_) @callee arguments: (_) @arguments) @call
(explicit_constructor_invocation constructor: (_) @callee arguments: (_) @arguments) @call
