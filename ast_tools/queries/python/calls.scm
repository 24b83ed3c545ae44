; Calls: @call, @callee, @arguments.
(call function: (_) @callee arguments: (argument_list) @arguments) @call
(keyword_argument name: (identifier) @keyword) @argument
