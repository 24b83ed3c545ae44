; What a file defines: @definition.KIND, @name, and @body where a header ends.
(class_declaration "class" name: (_) @name [(class_body) (enum_class_body)]? @body) @definition.class
(class_declaration "interface" name: (_) @name (class_body)? @body) @definition.interface
(object_declaration name: (_) @name (class_body)? @body) @definition.class
(enum_entry (identifier) @name) @definition.constant
(function_declaration name: (_) @name (function_body)? @body) @definition.function
(type_alias type: (_) @name) @definition.type
(source_file (property_declaration (variable_declaration (identifier) @name)) @definition.variable)
(class_body (property_declaration (variable_declaration (identifier) @name)) @definition.field)
(class_parameter ["val" "var"] (identifier) @name) @definition.field
