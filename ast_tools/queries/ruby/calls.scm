; Calls: @call, @callee, @arguments; arguments by name: @argument, @keyword.
(call method: (_) @callee arguments: (_) @arguments) @call
(super) @callee @call @arguments
(argument_list (pair key: (hash_key_symbol) @keyword) @argument)
