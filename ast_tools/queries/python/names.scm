; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
[(function_definition) (class_definition) (lambda) (list_comprehension) (set_comprehension) (dictionary_comprehension)
 (generator_expression)] @region
(import_statement name: (dotted_name . (identifier) @name.import))
(import_statement name: (aliased_import alias: (identifier) @name.import))
(import_from_statement name: (dotted_name (identifier) @name.import))
(import_from_statement name: (aliased_import alias: (identifier) @name.import))
(function_definition name: (_) @name.function) @outside
(class_definition name: (_) @name.class) @outside
(type_alias_statement left: (type (identifier) @name.type))
(function_definition type_parameters: (type_parameter (type (identifier) @name.type)))
(class_definition type_parameters: (type_parameter (type (identifier) @name.type)))
[(parameters (identifier) @name.parameter) (lambda_parameters (identifier) @name.parameter)
 (default_parameter name: (identifier) @name.parameter) (typed_default_parameter name: (identifier) @name.parameter)
 (typed_parameter . (identifier) @name.parameter) (list_splat_pattern (identifier) @name.parameter)
 (dictionary_splat_pattern (identifier) @name.parameter)]
(assignment left: (identifier) @name.variable)
(pattern_list (identifier) @name.variable)
(tuple_pattern (identifier) @name.variable)
(list_pattern (identifier) @name.variable)
(augmented_assignment left: (identifier) @name.variable)
(named_expression name: (identifier) @name.variable)
(for_statement left: (identifier) @name.variable)
(for_in_clause left: (identifier) @name.variable)
(as_pattern_target (identifier) @name.variable)
(case_pattern (dotted_name . (identifier) @name.variable .))
(keyword_argument name: (identifier) @name.argument)
