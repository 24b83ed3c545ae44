; Blocks: @block.KIND with its @body.
(table) @body @block.object
(table_array_element) @body @block.object
(inline_table) @body @block.object
(array) @body @block.list
