; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
[(function_declaration) (method_declaration) (func_literal) (block) (for_statement) (if_statement)
 (expression_switch_statement) (type_switch_statement) (expression_case) (communication_case) (type_case)
 (field_declaration_list) (interface_type)] @region
(package_clause (package_identifier) @name.package)
(import_spec name: (package_identifier) @name.import)
(import_spec !name path: (interpreted_string_literal (interpreted_string_literal_content) @name.import))
(function_declaration name: (_) @name.function) @outside
(method_declaration name: (_) @name.method) @outside
(type_spec name: (_) @name.type)
(type_alias name: (_) @name.type)
(type_parameter_declaration name: (_) @name.type)
(const_spec name: (identifier) @name.constant)
(var_spec name: (identifier) @name.variable)
(short_var_declaration left: (expression_list (identifier) @name.variable))
(range_clause left: (expression_list (identifier) @name.variable))
(receive_statement left: (expression_list (identifier) @name.variable))
(type_switch_statement alias: (expression_list (identifier) @name.variable))
(parameter_declaration name: (identifier) @name.parameter)
(variadic_parameter_declaration name: (identifier) @name.parameter)
(field_declaration name: (_) @name.field)
(method_elem name: (_) @name.method)
(labeled_statement label: (_) @name.label)
