; What only untyped JavaScript has: TypeScript wraps every parameter.
(formal_parameters (identifier) @name.parameter)
(formal_parameters (assignment_pattern left: (identifier) @name.parameter))
(formal_parameters (rest_pattern (identifier) @name.parameter))
