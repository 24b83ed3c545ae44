; What a file defines: @definition.KIND, @name, and @body where a header ends.
(function_declaration name: (_) @name body: (_)? @body) @definition.function
(variable_declaration . (identifier) @name [(struct_declaration) (union_declaration) (opaque_declaration)] @body)
  @definition.class
(variable_declaration . (identifier) @name (enum_declaration) @body) @definition.enum
(variable_declaration . (identifier) @name (error_set_declaration) @body) @definition.enum
(container_field name: (identifier) @name) @definition.field
(source_file (variable_declaration . (identifier) @name) @definition.variable)
(struct_declaration (variable_declaration . (identifier) @name) @definition.field)
