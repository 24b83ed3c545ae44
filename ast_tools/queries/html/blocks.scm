; Blocks: @block.KIND with its @body.
(element) @body @block.element
(script_element) @body @block.element
(style_element) @body @block.element
