; Calls: @call, @callee, @arguments; arguments by name: @argument, @keyword.
(invocation_expression function: (_) @callee arguments: (_) @arguments) @call
(object_creation_expression type: (_) @callee arguments: (_) @arguments) @call
(argument name: (identifier) @keyword) @argument
