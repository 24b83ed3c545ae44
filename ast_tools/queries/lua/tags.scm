; Tags, on the names themselves: @definition.KIND, @reference.KIND.
(function_declaration name: [
  (identifier) @definition.function
  (dot_index_expression field: (_) @definition.function)
  (method_index_expression method: (_) @definition.method)
])
(function_call name: [
  (identifier) @reference.call
  (dot_index_expression field: (_) @reference.call)
  (method_index_expression method: (_) @reference.call)
])
