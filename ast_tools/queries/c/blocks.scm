; Blocks: @block.KIND with its @body.
(function_definition body: (_) @body) @block.function
(struct_specifier body: (_) @body) @block.class
(union_specifier body: (_) @body) @block.class
(enum_specifier body: (_) @body) @block.class
(if_statement consequence: (compound_statement) @body) @block.branch
(else_clause (compound_statement) @body) @block.branch
(while_statement body: (compound_statement) @body) @block.loop
(do_statement body: (compound_statement) @body) @block.loop
(for_statement body: (compound_statement) @body) @block.loop
(switch_statement body: (compound_statement) @body) @block.switch
(compound_statement (compound_statement) @body @block.other)
(initializer_list) @body @block.list
