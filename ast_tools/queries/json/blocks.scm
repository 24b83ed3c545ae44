; Blocks: @block.KIND with its @body.
(object) @body @block.object
(array) @body @block.list
