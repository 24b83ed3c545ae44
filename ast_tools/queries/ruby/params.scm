; Parameters: @param.KIND, @name, @annotation, @default.
(method_parameters (identifier) @name @param.positional)
(method_parameters (optional_parameter name: (_) @name value: (_) @default) @param.positional)
(method_parameters (splat_parameter name: (_) @name) @param.rest @after.keyword_only)
(method_parameters (keyword_parameter name: (_) @name value: (_)? @default) @param.keyword)
(method_parameters (hash_splat_parameter name: (_) @name) @param.keyword_rest)
(method_parameters (block_parameter name: (_) @name) @param.positional)
(method_parameters (destructured_parameter) @name @param.positional)
