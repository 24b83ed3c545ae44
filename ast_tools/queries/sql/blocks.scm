; Blocks: @block.KIND with its @body.
(statement) @body @block.statement
(column_definitions) @body @block.list
(subquery) @body @block.query
(cte) @body @block.query
(case) @body @block.switch
(block) @body @block.other
