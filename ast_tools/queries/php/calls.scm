; Calls: @call, @callee, @arguments; arguments by name: @argument, @keyword.
(function_call_expression function: (_) @callee arguments: (_) @arguments) @call
(member_call_expression name: (_) @callee arguments: (_) @arguments) @call
(nullsafe_member_call_expression name: (_) @callee arguments: (_) @arguments) @call
(scoped_call_expression name: (_) @callee arguments: (_) @arguments) @call
(object_creation_expression [(name) (qualified_name)] @callee (arguments) @arguments) @call
(argument name: (_) @keyword) @argument
