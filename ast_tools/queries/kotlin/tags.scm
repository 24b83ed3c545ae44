; Tags, on the names themselves: @definition.KIND, @reference.KIND.
(class_declaration name: (_) @definition.class)
(object_declaration name: (_) @definition.class)
(function_declaration name: (_) @definition.function)
(type_alias type: (_) @definition.type)
(call_expression . [(identifier) @reference.call (navigation_expression (_) (identifier) @reference.call .)])
(constructor_invocation (user_type (identifier) @reference.class))
(import (qualified_identifier (identifier) @reference.import .))
