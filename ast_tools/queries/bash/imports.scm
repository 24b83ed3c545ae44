; What a file takes in.
((command name: (command_name) @callee (#any-of? @callee "source" ".")) @import)
