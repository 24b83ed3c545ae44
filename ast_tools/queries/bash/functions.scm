; Functions: @function, @name, @body.
(function_definition name: (_) @name body: (_) @body) @function
(command name: (command_name) @callee (#eq? @callee "return") argument: (_) @value)
