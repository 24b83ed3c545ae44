; Blocks: @block.KIND with its @body.
(function_declaration body: (_) @body) @block.function
(generator_function_declaration body: (_) @body) @block.function
(function_expression body: (_) @body) @block.function
(generator_function body: (_) @body) @block.function
(arrow_function body: (statement_block) @body) @block.function
(method_definition body: (_) @body) @block.function
(class_declaration body: (_) @body) @block.class
(class body: (_) @body) @block.class
(if_statement consequence: (statement_block) @body) @block.branch
(else_clause (statement_block) @body) @block.branch
(switch_statement body: (_) @body) @block.switch
(for_statement body: (statement_block) @body) @block.loop
(for_in_statement body: (statement_block) @body) @block.loop
(while_statement body: (statement_block) @body) @block.loop
(do_statement body: (statement_block) @body) @block.loop
(try_statement body: (_) @body) @block.try
(catch_clause body: (_) @body) @block.try
(finally_clause body: (_) @body) @block.try
[(object) (array)] @body @block.list
