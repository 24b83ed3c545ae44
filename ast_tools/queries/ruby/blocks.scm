; Blocks: @block.KIND with its @body.
(class) @body @block.class
(module) @body @block.namespace
(singleton_class) @body @block.class
(method) @body @block.function
(singleton_method) @body @block.function
(do_block) @body @block.function
(block) @body @block.function
(if) @body @block.branch
(unless) @body @block.branch
(case) @body @block.switch
(case_match) @body @block.switch
(while) @body @block.loop
(until) @body @block.loop
(for) @body @block.loop
(begin) @body @block.try
(hash) @body @block.list
(array) @body @block.list
