; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
[(function_declaration) (generator_function_declaration) (function_expression) (generator_function) (arrow_function)
 (method_definition) (class_body) (statement_block) (for_statement) (for_in_statement) (catch_clause)
 (switch_body)] @region
(import_clause (identifier) @name.import)
(namespace_import (identifier) @name.import)
(import_specifier !alias name: (_) @name.import)
(import_specifier alias: (_) @name.import)
(function_declaration name: (_) @name.function) @outside
(generator_function_declaration name: (_) @name.function) @outside
(function_expression name: (_) @name.function)
(class name: (_) @name.class)
(class_declaration name: (_) @name.class)
(method_definition name: (_) @name.method) @outside
(variable_declarator name: (identifier) @name.variable)
(array_pattern (identifier) @name.variable)
(array_pattern (assignment_pattern left: (identifier) @name.variable))
(shorthand_property_identifier_pattern) @name.variable
(object_assignment_pattern left: (shorthand_property_identifier_pattern) @name.variable)
(pair_pattern value: (identifier) @name.variable)
(pair_pattern key: (property_identifier) @name.member)
(object_pattern (rest_pattern (identifier) @name.variable))
(array_pattern (rest_pattern (identifier) @name.variable))
(arrow_function parameter: (identifier) @name.parameter)
(for_in_statement left: (identifier) @name.variable)
(catch_clause parameter: (identifier) @name.variable)
(labeled_statement label: (_) @name.label)
