; Functions: @function, @name, @parameters, @returns, @body; facts of the body itself: @value, @yield, @raise;
; @value.TYPE where a value shows its type, @value.name where it is one name, @value.none where there may be none.
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
(return_statement [(list) (list_comprehension)] @value.list)
(return_statement [(dictionary) (dictionary_comprehension)] @value.dict)
(return_statement [(set) (set_comprehension)] @value.set)
(return_statement [(tuple) (expression_list)] @value.tuple)
(return_statement [(true) (false) (not_operator)] @value.bool)
(return_statement (string) @value.str (#not-match? @value.str "^[rR]?[bB]"))
(return_statement (integer) @value.int (#not-match? @value.int "[jJ]$"))
(return_statement (float) @value.float (#not-match? @value.float "[jJ]$"))
(return_statement (identifier) @value.name)
(return_statement (none) @value.none)
((return_statement) @value.none (#eq? @value.none "return"))
(yield) @yield
(raise_statement . (call function: [(identifier) (attribute)] @raise) (#not-match? @raise "^(self|cls)[.]"))
(raise_statement . [(identifier) (attribute)] @raise.type
  (#match? @raise.type "(^|[.])[A-Z][A-Za-z0-9_]*$"))
(block . (comment)* . (expression_statement . (string) @documentation))
(module . (comment)* . (expression_statement . (string) @documentation))
(class_definition name: (_) @container body: (block) @members)
