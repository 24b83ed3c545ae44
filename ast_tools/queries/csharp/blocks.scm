; Blocks: @block.KIND with its @body.
(namespace_declaration body: (_) @body) @block.namespace
(class_declaration body: (_) @body) @block.class
(struct_declaration body: (_) @body) @block.class
(record_declaration body: (_) @body) @block.class
(interface_declaration body: (_) @body) @block.class
(enum_declaration body: (_) @body) @block.class
(method_declaration body: (block) @body) @block.function
(constructor_declaration body: (block) @body) @block.function
(local_function_statement body: (block) @body) @block.function
(lambda_expression body: (block) @body) @block.function
(accessor_declaration body: (block) @body) @block.function
(property_declaration accessors: (_) @body) @block.other
(if_statement consequence: (block) @body) @block.branch
(if_statement alternative: (block) @body) @block.branch
(while_statement body: (block) @body) @block.loop
(do_statement body: (block) @body) @block.loop
(for_statement body: (block) @body) @block.loop
(foreach_statement body: (block) @body) @block.loop
(switch_statement body: (_) @body) @block.switch
(switch_expression) @body @block.switch
(try_statement body: (_) @body) @block.try
(catch_clause body: (_) @body) @block.try
(finally_clause (block) @body) @block.try
(using_statement body: (block) @body) @block.other
(lock_statement (block) @body) @block.other
(initializer_expression) @body @block.list
