; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
[(function_item) (function_signature_item) (closure_expression) (block) (match_arm) (for_expression) (if_expression)
 (while_expression) (impl_item) (trait_item) (struct_item) (enum_item) (mod_item) (declaration_list)
 (field_declaration_list)] @region
(use_declaration argument: (identifier) @name.import)
(use_declaration argument: (scoped_identifier name: (_) @name.import))
(use_list (identifier) @name.import)
(use_list (scoped_identifier name: (_) @name.import))
(use_as_clause alias: (_) @name.import)
(function_item name: (_) @name.function) @outside
(function_signature_item name: (_) @name.function) @outside
(struct_item name: (_) @name.class) @outside
(union_item name: (_) @name.class)
(enum_item name: (_) @name.enum) @outside
(enum_variant name: (_) @name.constant)
(trait_item name: (_) @name.interface) @outside
(mod_item name: (_) @name.namespace) @outside
(type_item name: (_) @name.type)
(associated_type name: (_) @name.type)
(const_item name: (_) @name.constant)
(static_item name: (_) @name.variable)
(macro_definition name: (_) @name.macro)
(type_parameter name: (_) @name.type)
(const_parameter name: (_) @name.constant)
(field_declaration name: (_) @name.field)
(let_declaration pattern: (identifier) @name.variable)
(let_condition pattern: (identifier) @name.variable)
((match_pattern (identifier) @name.variable) (#match? @name.variable "^[^A-Z]"))
[(tuple_pattern (identifier) @name.variable) (slice_pattern (identifier) @name.variable)
 (mut_pattern (identifier) @name.variable) (ref_pattern (identifier) @name.variable)
 (reference_pattern (identifier) @name.variable)]
(tuple_struct_pattern type: (_) (identifier) @name.variable)
(for_expression pattern: (identifier) @name.variable)
(parameter pattern: (identifier) @name.parameter)
(closure_parameters (identifier) @name.parameter)
(lifetime (identifier) @name.label)
(label (identifier) @name.label)
(captured_pattern . (identifier) @name.variable)
(shorthand_field_identifier) @name.variable
