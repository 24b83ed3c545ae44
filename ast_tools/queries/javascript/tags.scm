; Tags, on the names themselves: @definition.KIND, @reference.KIND.
(function_declaration name: (identifier) @definition.function)
(generator_function_declaration name: (identifier) @definition.function)
(variable_declarator name: (identifier) @definition.function value: [(arrow_function) (function_expression)])
(class_declaration name: (_) @definition.class)
(method_definition name: (_) @definition.method)
(call_expression function: [(identifier) @reference.call (member_expression property: (_) @reference.call)])
(new_expression constructor: (identifier) @reference.class)
(import_specifier name: (identifier) @reference.import)
