; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
[(function_declaration) (init_declaration) (lambda_literal) (class_body) (enum_class_body) (protocol_body)
 (function_body) (statements) (for_statement) (if_statement) (while_statement) (catch_block) (switch_entry)
 (class_declaration)] @region
(import_declaration (identifier (simple_identifier) @name.import .))
(class_declaration declaration_kind: ["class" "struct" "actor"] name: (type_identifier) @name.class) @outside
(class_declaration declaration_kind: "enum" name: (type_identifier) @name.enum) @outside
(protocol_declaration name: (type_identifier) @name.interface)
(enum_entry name: (simple_identifier) @name.constant)
; A wildcard stands for function_declaration: naming it costs the compiler of queries 0.3 s for each pattern.
(_ name: (simple_identifier) @name.function body: (function_body)) @outside
(protocol_function_declaration name: (simple_identifier) @name.method)
(typealias_declaration . (_)* . name: (type_identifier) @name.type)
(associatedtype_declaration name: (type_identifier) @name.type)
(type_parameter (type_identifier) @name.type)
(parameter external_name: (_) @name.argument)
(parameter name: (simple_identifier) @name.parameter)
(lambda_parameter name: (simple_identifier) @name.parameter)
(property_declaration name: (pattern bound_identifier: (_) @name.variable))
(property_declaration name: (pattern (pattern (simple_identifier) @name.variable)))
(protocol_property_declaration name: (pattern bound_identifier: (_) @name.field))
(for_statement item: (pattern bound_identifier: (_) @name.variable))
(if_statement bound_identifier: (_) @name.variable)
(guard_statement bound_identifier: (_) @name.variable)
(while_statement bound_identifier: (_) @name.variable)
(catch_block error: (pattern (pattern bound_identifier: (_) @name.variable)))
(catch_block error: (pattern bound_identifier: (_) @name.variable))
(switch_pattern (pattern (pattern bound_identifier: (_) @name.variable)))
(value_argument_label) @name.argument
(value_argument_label (simple_identifier) @name.argument)
(enum_type_parameters (simple_identifier) @name.argument)
