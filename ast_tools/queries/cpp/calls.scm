(new_expression type: (_) @callee arguments: (argument_list) @arguments) @call
(init_declarator declarator: (_) @callee value: (argument_list) @arguments) @call
