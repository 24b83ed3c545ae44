; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
(method name: (_) @name parameters: (_)? @parameters body: (_)? @body) @function
(singleton_method name: (_) @name parameters: (_)? @parameters body: (_)? @body) @function
(class) @anonymous
(lambda) @anonymous
(return (argument_list) @value)
(yield) @yield
(call !receiver method: (identifier) @callee (#eq? @callee "raise")
  arguments: (argument_list . [
    (constant) @raise
    (scope_resolution) @raise
    (call receiver: (_) @raise method: (identifier) @new (#eq? @new "new"))
  ]))
(class name: (_) @container body: (_) @members)
(module name: (_) @container body: (_) @members)
