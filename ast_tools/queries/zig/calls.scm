; Calls: @call, @callee; the grammar has no node for the arguments of most.
(call_expression function: (_) @callee) @call @arguments
(builtin_function (builtin_identifier) @callee (arguments) @arguments) @call
