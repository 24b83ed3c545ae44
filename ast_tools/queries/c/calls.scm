; Calls: @call, @callee, @arguments.
(call_expression function: (_) @callee arguments: (_) @arguments) @call
