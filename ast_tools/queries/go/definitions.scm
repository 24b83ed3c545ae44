; What a file defines: @definition.KIND, @name, and @body where a header ends.
(function_declaration name: (_) @name body: (_)? @body) @definition.function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @container.name
    (pointer_type (type_identifier) @container.name)
    (generic_type type: (_) @container.name)
    (pointer_type (generic_type type: (_) @container.name))
  ]))
  name: (_) @name body: (_)? @body) @definition.method
((type_declaration (type_spec name: (_) @name type: (struct_type (field_declaration_list) @body)))
  @definition.class (#not-match? @definition.class "^type[ \t]*[(]"))
(type_declaration "(" (type_spec name: (_) @name type: (struct_type (field_declaration_list) @body)) @definition.class)
((type_declaration (type_spec name: (_) @name type: (interface_type "{" @body)))
  @definition.interface (#not-match? @definition.interface "^type[ \t]*[(]"))
(type_declaration "(" (type_spec name: (_) @name type: (interface_type "{" @body)) @definition.interface)
(type_declaration (type_spec name: (_) @name type: [(type_identifier) (function_type) (map_type) (slice_type)
  (array_type) (pointer_type) (qualified_type) (channel_type) (generic_type)])) @definition.type
(type_alias name: (_) @name) @definition.type
((source_file (const_declaration (const_spec name: (identifier) @name)) @definition.constant)
  (#not-match? @definition.constant "^const[ \t]*[(]"))
(source_file (const_declaration "(" (const_spec name: (identifier) @name) @definition.constant))
(source_file (var_declaration (var_spec name: (identifier) @name)) @definition.variable)
(source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name) @definition.variable)))
(field_declaration name: (_) @name) @definition.field
(method_elem name: (_) @name) @definition.method
