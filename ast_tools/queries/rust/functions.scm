; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
(function_item name: (_) @name parameters: (_) @parameters return_type: (_)? @returns body: (_) @body) @function
(function_signature_item name: (_) @name parameters: (_) @parameters return_type: (_)? @returns) @function
(closure_expression) @anonymous
(async_block) @anonymous
(function_modifiers "async" @async)
(return_expression (_) @value)
(function_item body: (block (_) @value .) (#not-match? @value ";$"))
(macro_invocation macro: (identifier) @raise (#any-of? @raise "panic" "unreachable" "todo" "unimplemented"))
(trait_item name: (_) @container body: (_) @members)
(impl_item type: (type_identifier) @container body: (_) @members)
(impl_item type: (generic_type type: (_) @container) body: (_) @members)
