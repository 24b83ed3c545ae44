; Tags, on the names themselves: @definition.KIND, @reference.KIND.
(function_definition name: (identifier) @definition.function)
(class_definition name: (identifier) @definition.class)
(module (expression_statement (assignment left: (identifier) @definition.variable)))
(call function: [(identifier) @reference.call (attribute attribute: (identifier) @reference.call)])
(class_definition superclasses: (argument_list [(identifier) @reference.class (attribute attribute: (identifier) @reference.class)]))
(import_from_statement name: (dotted_name (identifier) @reference.import))
(import_from_statement name: (aliased_import name: (dotted_name (identifier) @reference.import)))
