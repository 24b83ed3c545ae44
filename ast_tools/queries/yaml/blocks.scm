; Blocks: @block.KIND with its @body.
(block_mapping) @body @block.object
(block_sequence) @body @block.list
(flow_mapping) @body @block.object
(flow_sequence) @body @block.list
(block_scalar) @body @block.text
