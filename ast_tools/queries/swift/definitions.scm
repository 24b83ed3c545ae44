; What a file defines: @definition.KIND, @name, and @body where a header ends.
(class_declaration declaration_kind: ["class" "struct" "actor" "extension"] name: (_) @name body: (_) @body)
  @definition.class
(class_declaration declaration_kind: "enum" name: (_) @name body: (_) @body) @definition.enum
(protocol_declaration name: (_) @name body: (_) @body) @definition.interface
(enum_entry name: (simple_identifier) @name) @definition.constant
; A wildcard stands for function_declaration: naming it costs the compiler of queries 0.3 s for each pattern.
(_ name: (simple_identifier) @name body: (function_body) @body) @definition.function
(protocol_function_declaration name: (simple_identifier) @name) @definition.method
(init_declaration name: "init" @name body: (_) @body) @definition.method
(typealias_declaration . (_)* . name: (type_identifier) @name) @definition.type
(source_file (property_declaration name: (pattern bound_identifier: (_) @name)) @definition.variable)
(class_body (property_declaration name: (pattern bound_identifier: (_) @name)) @definition.field)
(protocol_property_declaration name: (pattern bound_identifier: (_) @name)) @definition.field
