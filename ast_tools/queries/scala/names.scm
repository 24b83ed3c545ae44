; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
[(function_definition) (function_declaration) (class_definition) (trait_definition) (object_definition)
 (template_body) (block) (indented_block) (lambda_expression) (case_clause) (for_expression)] @region
(package_clause (package_identifier) @name.package)
(import_declaration path: (identifier) @name.import .)
(namespace_selectors (identifier) @name.import)
(arrow_renamed_identifier alias: (_) @name.import)
(class_definition name: (_) @name.class) @outside
(object_definition name: (_) @name.class) @outside
(trait_definition name: (_) @name.interface) @outside
(enum_definition name: (_) @name.enum) @outside
(simple_enum_case name: (_) @name.constant)
(full_enum_case name: (_) @name.constant)
(function_definition name: (_) @name.function) @outside
(function_declaration name: (_) @name.function) @outside
(type_definition name: (_) @name.type)
(given_definition name: (_) @name.variable)
(type_parameters name: (_) @name.type)
(class_parameter name: (_) @name.parameter)
(parameter name: (_) @name.parameter)
(binding name: (_) @name.parameter)
(lambda_expression parameters: (identifier) @name.parameter)
(val_definition pattern: (identifier) @name.variable)
(var_definition pattern: (identifier) @name.variable)
(val_declaration name: (identifier) @name.variable)
(tuple_pattern (identifier) @name.variable)
(case_class_pattern pattern: (identifier) @name.variable)
(typed_pattern pattern: (identifier) @name.variable)
(case_clause pattern: (identifier) @name.variable)
(capture_pattern name: (_) @name.variable)
(enumerator . (identifier) @name.variable)
