; Blocks: @block.KIND with its @body.
(class_declaration body: (_) @body) @block.class
(record_declaration body: (_) @body) @block.class
(interface_declaration body: (_) @body) @block.class
(enum_declaration body: (_) @body) @block.class
(annotation_type_declaration body: (_) @body) @block.class
(object_creation_expression (class_body) @body) @block.class
(method_declaration body: (_) @body) @block.function
(constructor_declaration body: (_) @body) @block.function
(lambda_expression body: (block) @body) @block.function
(static_initializer (block) @body) @block.other
(if_statement consequence: (block) @body) @block.branch
(if_statement alternative: (block) @body) @block.branch
(while_statement body: (block) @body) @block.loop
(do_statement body: (block) @body) @block.loop
(for_statement body: (block) @body) @block.loop
(enhanced_for_statement body: (block) @body) @block.loop
(switch_expression body: (_) @body) @block.switch
(try_statement body: (_) @body) @block.try
(try_with_resources_statement body: (_) @body) @block.try
(catch_clause body: (_) @body) @block.try
(finally_clause (block) @body) @block.try
(synchronized_statement body: (_) @body) @block.other
(array_initializer) @body @block.list
