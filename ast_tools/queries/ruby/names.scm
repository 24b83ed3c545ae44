; Names and where they are known: @name.KIND in the @region around it, or around its definition: @outside.
[(method) (singleton_method) (class) (module) (singleton_class) (block) (do_block) (lambda)] @region
(class name: (constant) @name.class) @outside
(module name: (constant) @name.namespace) @outside
(method name: (_) @name.method) @outside
(singleton_method name: (_) @name.method) @outside
(assignment left: (identifier) @name.variable)
(assignment left: (constant) @name.constant)
(assignment left: (instance_variable) @name.field)
(left_assignment_list (identifier) @name.variable)
(left_assignment_list (instance_variable) @name.field)
(operator_assignment left: (identifier) @name.variable)
(operator_assignment left: (instance_variable) @name.field)
(method_parameters (identifier) @name.parameter)
(lambda_parameters (identifier) @name.parameter)
(block_parameters (identifier) @name.parameter)
(optional_parameter name: (_) @name.parameter)
(keyword_parameter name: (_) @name.parameter)
(splat_parameter name: (_) @name.parameter)
(hash_splat_parameter name: (_) @name.parameter)
(block_parameter name: (_) @name.parameter)
(destructured_parameter (identifier) @name.parameter)
(exception_variable (identifier) @name.variable)
(for pattern: (identifier) @name.variable)
