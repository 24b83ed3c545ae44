; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise.
; @anonymous functions keep their facts to themselves. @container with its @members; @documentation strings.
(function_definition
  name: (identifier) @name
  parameters: (parameters) @parameters
  return_type: (type)? @returns
  body: (block) @body) @function
(lambda) @anonymous
(class_definition) @anonymous
(function_definition "async" @async)
(decorated_definition (decorator) @decorator)
(return_statement (_) @value (#not-eq? @value "None"))
(yield) @yield
(raise_statement . (call function: [(identifier) (attribute)] @raise) (#not-match? @raise "^(self|cls)[.]"))
(raise_statement . [(identifier) (attribute)] @raise.type
  (#match? @raise.type "(^|[.])[A-Z][A-Za-z0-9_]*$"))
(block . (comment)* . (expression_statement . (string) @documentation))
(module . (comment)* . (expression_statement . (string) @documentation))
(class_definition name: (_) @container body: (block) @members)
