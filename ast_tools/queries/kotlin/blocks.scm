; Blocks: @block.KIND with its @body.
(class_declaration [(class_body) (enum_class_body)] @body) @block.class
(object_declaration (class_body) @body) @block.class
(companion_object (class_body) @body) @block.class
(function_body (block) @body) @block.function
(lambda_literal) @body @block.function
(if_expression (block) @body) @block.branch
(when_expression) @body @block.switch
(for_statement (block) @body) @block.loop
(while_statement (block) @body) @block.loop
(do_while_statement (block) @body) @block.loop
(try_expression (block) @body) @block.try
(catch_block (block) @body) @block.try
(finally_block (block) @body) @block.try
