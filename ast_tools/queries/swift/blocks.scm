; Blocks: @block.KIND with its @body.
(class_declaration body: (_) @body) @block.class
(protocol_declaration body: (_) @body) @block.class
; A wildcard stands for function_declaration: naming it costs the compiler of queries 0.3 s for each pattern.
(_ name: (simple_identifier) body: (function_body) @body) @block.function
(init_declaration body: (_) @body) @block.function
(deinit_declaration body: (_) @body) @block.function
(computed_property) @body @block.function
(lambda_literal) @body @block.function
(if_statement) @body @block.branch
(guard_statement) @body @block.branch
(switch_statement) @body @block.switch
(for_statement) @body @block.loop
(while_statement) @body @block.loop
(repeat_while_statement) @body @block.loop
(do_statement) @body @block.try
(catch_block) @body @block.try
(array_literal) @body @block.list
(dictionary_literal) @body @block.list
