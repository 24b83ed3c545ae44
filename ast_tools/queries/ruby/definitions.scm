; What a file defines: @definition.KIND, @name, and @body where a header ends.
(class name: (_) @name body: (_)? @body) @definition.class
(module name: (_) @name body: (_)? @body) @definition.namespace
(method name: (_) @name parameters: (_)? @header body: (_)? @body) @definition.method
(singleton_method name: (_) @name parameters: (_)? @header body: (_)? @body) @definition.method
(assignment left: (constant) @name) @definition.constant
(alias name: (_) @name) @definition.method
(call method: (identifier) @callee (#any-of? @callee "attr_accessor" "attr_reader" "attr_writer")
  arguments: (argument_list (simple_symbol) @name)) @definition.field
