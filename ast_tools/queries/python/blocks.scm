; Blocks: @block.KIND with its @body.
(function_definition body: (_) @body) @block.function
(class_definition body: (_) @body) @block.class
(if_statement consequence: (_) @body) @block.branch
(elif_clause consequence: (_) @body) @block.branch
(else_clause body: (_) @body) @block.branch
(match_statement body: (_) @body) @block.switch
(case_clause consequence: (_) @body) @block.branch
(for_statement body: (_) @body) @block.loop
(while_statement body: (_) @body) @block.loop
(try_statement body: (_) @body) @block.try
(except_clause (block) @body) @block.try
(finally_clause (block) @body) @block.try
(with_statement body: (_) @body) @block.other
[(list) (dictionary) (set) (tuple)] @body @block.list
