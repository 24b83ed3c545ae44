(class_specifier body: (_) @body) @block.class
(namespace_definition body: (_) @body) @block.namespace
(lambda_expression body: (_) @body) @block.function
(for_range_loop body: (compound_statement) @body) @block.loop
(try_statement body: (_) @body) @block.try
(catch_clause body: (_) @body) @block.try
