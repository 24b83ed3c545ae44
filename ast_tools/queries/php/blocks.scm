; Blocks: @block.KIND with its @body.
(class_declaration body: (_) @body) @block.class
(interface_declaration body: (_) @body) @block.class
(trait_declaration body: (_) @body) @block.class
(enum_declaration body: (_) @body) @block.class
(namespace_definition body: (_) @body) @block.namespace
(function_definition body: (_) @body) @block.function
(method_declaration body: (_) @body) @block.function
(anonymous_function body: (_) @body) @block.function
(if_statement body: (compound_statement) @body) @block.branch
(else_if_clause body: (compound_statement) @body) @block.branch
(else_clause body: (compound_statement) @body) @block.branch
(while_statement body: (compound_statement) @body) @block.loop
(do_statement body: (compound_statement) @body) @block.loop
(for_statement (compound_statement) @body) @block.loop
(foreach_statement body: (compound_statement) @body) @block.loop
(switch_statement body: (_) @body) @block.switch
(match_expression body: (_) @body) @block.switch
(try_statement body: (_) @body) @block.try
(catch_clause body: (_) @body) @block.try
(finally_clause body: (_) @body) @block.try
(array_creation_expression) @body @block.list
