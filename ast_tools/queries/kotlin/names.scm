; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
[(function_declaration) (anonymous_function) (lambda_literal) (class_declaration) (class_body) (block) (for_statement)
 (catch_block) (when_entry)] @region
(package_header (qualified_identifier (identifier) @name.package))
(import (qualified_identifier (identifier) @name.import .))
(import "as" (identifier) @name.import)
(class_declaration name: (_) @name.class) @outside
(object_declaration name: (_) @name.class)
(enum_entry (identifier) @name.constant)
(function_declaration name: (_) @name.function) @outside
(type_alias type: (_) @name.type)
(type_parameter (identifier) @name.type)
(class_parameter (identifier) @name.parameter)
(parameter . (identifier) @name.parameter)
(property_declaration (variable_declaration (identifier) @name.variable))
(multi_variable_declaration (variable_declaration (identifier) @name.variable))
(for_statement (variable_declaration (identifier) @name.variable))
(lambda_parameters (variable_declaration (identifier) @name.parameter))
(catch_block . (identifier) @name.variable)
(when_subject (variable_declaration (identifier) @name.variable))
(value_argument . (identifier) @name.argument . "=")
(label) @name.label
