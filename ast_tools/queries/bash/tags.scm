; Tags, on the names themselves: @definition.KIND, @reference.KIND.
(function_definition name: (_) @definition.function)
(command name: (command_name (word) @reference.call))
