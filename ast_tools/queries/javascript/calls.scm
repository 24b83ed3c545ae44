; Calls: @call, @callee, @arguments.
(call_expression function: (_) @callee arguments: (arguments) @arguments) @call
(new_expression constructor: (_) @callee arguments: (arguments) @arguments) @call
