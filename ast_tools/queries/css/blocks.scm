; Blocks: @block.KIND with its @body.
(rule_set (block) @body) @block.rule
(media_statement (block) @body) @block.rule
(supports_statement (block) @body) @block.rule
(at_rule (block) @body) @block.rule
(keyframes_statement (keyframe_block_list) @body) @block.rule
(keyframe_block (block) @body) @block.rule
