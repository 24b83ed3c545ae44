; Calls: @call, @callee, @arguments.
(function_call name: (_) @callee arguments: (_) @arguments) @call
