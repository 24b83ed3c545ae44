; Blocks: @block.KIND with its @body.
(function_declaration) @body @block.function
(function_definition) @body @block.function
(if_statement) @body @block.branch
(for_statement) @body @block.loop
(while_statement) @body @block.loop
(repeat_statement) @body @block.loop
(do_statement) @body @block.other
(table_constructor) @body @block.list
