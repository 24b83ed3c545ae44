; Calls: @call, @callee; the arguments of a command have no brackets.
(command name: (_) @callee) @call @arguments
