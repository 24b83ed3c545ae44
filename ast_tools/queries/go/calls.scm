; Calls: @call, @callee, @arguments.
(call_expression function: (_) @callee arguments: (_) @arguments) @call
(type_conversion_expression type: (_) @callee) @call @arguments
