; Blocks: @block.KIND with its @body.
(function_item body: (_) @body) @block.function
(closure_expression body: (block) @body) @block.function
(struct_item body: (field_declaration_list) @body) @block.class
(union_item body: (_) @body) @block.class
(enum_item body: (_) @body) @block.class
(trait_item body: (_) @body) @block.class
(impl_item body: (_) @body) @block.class
(mod_item body: (_) @body) @block.namespace
(if_expression consequence: (_) @body) @block.branch
(else_clause (block) @body) @block.branch
(match_expression body: (_) @body) @block.switch
(match_arm value: (block) @body) @block.branch
(while_expression body: (_) @body) @block.loop
(for_expression body: (_) @body) @block.loop
(loop_expression body: (_) @body) @block.loop
(unsafe_block (block) @body) @block.other
(async_block (block) @body) @block.other
(struct_expression body: (_) @body) @block.list
(array_expression) @body @block.list
(use_list) @body @block.list
