; Calls: @call, @callee, @arguments; arguments by name: @argument, @keyword.
(call_expression . (_) @callee (call_suffix (value_arguments) @arguments)) @call
(constructor_expression constructed_type: (_) @callee (constructor_suffix (value_arguments) @arguments)) @call
(value_argument name: (value_argument_label) @keyword) @argument
