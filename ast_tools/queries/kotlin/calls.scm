; Calls: @call, @callee, @arguments; arguments by name: @argument, @keyword.
(call_expression . (_) @callee (value_arguments) @arguments) @call
(constructor_invocation . (_) @callee (value_arguments) @arguments) @call
(value_argument . (identifier) @keyword . "=") @argument
