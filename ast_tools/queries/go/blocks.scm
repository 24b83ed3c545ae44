; Blocks: @block.KIND with its @body.
(function_declaration body: (_) @body) @block.function
(method_declaration body: (_) @body) @block.function
(func_literal body: (_) @body) @block.function
(struct_type (field_declaration_list) @body) @block.class
(interface_type) @body @block.class
(if_statement consequence: (_) @body) @block.branch
(if_statement alternative: (block) @body) @block.branch
(for_statement body: (_) @body) @block.loop
(expression_switch_statement) @body @block.switch
(type_switch_statement) @body @block.switch
(select_statement) @body @block.switch
(composite_literal body: (_) @body) @block.list
(import_declaration (import_spec_list) @body) @block.list
(statement_list (block) @body @block.other)
