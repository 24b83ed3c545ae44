; Blocks: @block.KIND with its @body.
(function_declaration body: (_) @body) @block.function
(test_declaration (block) @body) @block.function
(struct_declaration) @body @block.class
(union_declaration) @body @block.class
(enum_declaration) @body @block.class
(error_set_declaration) @body @block.list
(if_statement body: (block_expression (block) @body)) @block.branch
(else_clause alternative: (_ (block) @body)) @block.branch
(while_statement body: (block_expression (block) @body)) @block.loop
(for_statement body: (block_expression (block) @body)) @block.loop
(switch_expression) @body @block.switch
(switch_case (block) @body) @block.branch
(defer_statement (_ (block) @body)) @block.other
(labeled_statement (block_label) (block) @body) @block.other
(initializer_list) @body @block.list
