; Blocks: @block.KIND with its @body.
(class_definition body: (_) @body) @block.class
(object_definition body: (_) @body) @block.class
(trait_definition body: (_) @body) @block.class
(enum_definition body: (_) @body) @block.class
(package_object body: (_) @body) @block.namespace
(function_definition body: [(block) (indented_block)] @body) @block.function
(lambda_expression) @body @block.function
(call_expression arguments: (block) @body) @block.function
(call_expression arguments: (case_block) @body) @block.function
(if_expression consequence: [(block) (indented_block)] @body) @block.branch
(if_expression alternative: [(block) (indented_block)] @body) @block.branch
(match_expression body: (_) @body) @block.switch
(while_expression body: [(block) (indented_block)] @body) @block.loop
(for_expression body: [(block) (indented_block)] @body) @block.loop
(try_expression body: [(block) (indented_block)] @body) @block.try
(catch_clause) @body @block.try
(finally_clause) @body @block.try
