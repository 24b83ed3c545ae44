; Calls: @call, @callee, @arguments; arguments by name: @argument, @keyword.
(call_expression function: (_) @callee arguments: (arguments) @arguments) @call
(instance_expression (_) @callee arguments: (arguments) @arguments) @call
(arguments (assignment_expression left: (identifier) @keyword) @argument)
