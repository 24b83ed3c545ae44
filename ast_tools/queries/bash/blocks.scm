; Blocks: @block.KIND with its @body.
(function_definition body: (_) @body) @block.function
(if_statement) @body @block.branch
(case_statement) @body @block.switch
(do_group) @body @block.loop
(subshell) @body @block.other
(list (compound_statement) @body @block.other)
(array) @body @block.list
