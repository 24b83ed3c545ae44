; What a file defines: @definition.KIND, @name, and @body where a header ends.
(namespace_definition name: (_) @name body: (_)? @body) @definition.namespace
(class_declaration name: (_) @name body: (_) @body) @definition.class
(interface_declaration name: (_) @name body: (_) @body) @definition.interface
(trait_declaration name: (_) @name body: (_) @body) @definition.class
(enum_declaration name: (_) @name body: (_) @body) @definition.enum
(enum_case name: (_) @name) @definition.constant
(function_definition name: (_) @name body: (_) @body) @definition.function
(method_declaration name: (_) @name body: (_)? @body) @definition.method
(property_declaration (property_element name: (_) @name)) @definition.field
(property_promotion_parameter name: (_) @name) @definition.field
(const_declaration (const_element . (name) @name)) @definition.constant
(program (expression_statement (assignment_expression left: (variable_name) @name)) @definition.variable)
