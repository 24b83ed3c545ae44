; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
[(method_declaration) (constructor_declaration) (local_function_statement) (lambda_expression)
 (anonymous_method_expression) (declaration_list) (enum_member_declaration_list) (block) (for_statement)
 (foreach_statement) (using_statement) (catch_clause) (switch_section) (switch_expression_arm) (accessor_declaration)] @region
(using_directive name: (_) @name.import)
(using_directive (qualified_name name: (_) @name.import))
(using_directive . (identifier) @name.import)
(namespace_declaration name: (_) @name.namespace) @outside
(file_scoped_namespace_declaration name: (_) @name.namespace)
(class_declaration name: (_) @name.class)
(struct_declaration name: (_) @name.class)
(record_declaration name: (_) @name.class)
(interface_declaration name: (_) @name.interface)
(enum_declaration name: (_) @name.enum)
(enum_member_declaration name: (_) @name.constant)
(delegate_declaration name: (_) @name.type)
(type_parameter name: (_) @name.type)
(method_declaration name: (_) @name.method) @outside
(constructor_declaration name: (_) @name.method) @outside
(local_function_statement name: (_) @name.function) @outside
(property_declaration name: (_) @name.field)
(field_declaration (variable_declaration (variable_declarator name: (_) @name.field)))
(event_field_declaration (variable_declaration (variable_declarator name: (_) @name.field)))
(local_declaration_statement (variable_declaration (variable_declarator name: (_) @name.variable)))
(for_statement initializer: (variable_declaration (variable_declarator name: (_) @name.variable)))
(using_statement (variable_declaration (variable_declarator name: (_) @name.variable)))
(foreach_statement left: (identifier) @name.variable)
(catch_declaration name: (_) @name.variable)
(declaration_expression name: (_) @name.variable)
(declaration_pattern name: (_) @name.variable)
(parameter name: (_) @name.parameter)
(implicit_parameter) @name.parameter
(from_clause name: (_) @name.variable)
(let_clause . (identifier) @name.variable)
(argument name: (_) @name.argument)
(labeled_statement . (identifier) @name.label)
