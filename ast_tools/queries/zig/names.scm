; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
[(function_declaration) (struct_declaration) (union_declaration) (enum_declaration) (opaque_declaration) (block)
 (if_statement) (for_statement) (while_statement) (switch_case) (test_declaration)] @region
(function_declaration name: (_) @name.function) @outside
(variable_declaration . (identifier) @name.variable)
(container_field name: (identifier) @name.field)
(parameter name: (identifier) @name.parameter)
(payload (identifier) @name.variable)
(block_label (identifier) @name.label)
(error_set_declaration (identifier) @name.constant)
