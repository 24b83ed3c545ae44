; What a file takes in.
((call !receiver method: (identifier) @callee (#any-of? @callee "require" "require_relative" "load" "autoload")) @import)
