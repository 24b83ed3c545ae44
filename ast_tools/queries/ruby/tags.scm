; Tags, on the names themselves: @definition.KIND, @reference.KIND.
(class name: (constant) @definition.class)
(module name: (constant) @definition.namespace)
(method name: (_) @definition.method)
(singleton_method name: (_) @definition.method)
(assignment left: (constant) @definition.constant)
(call method: (identifier) @reference.call)
(superclass (constant) @reference.class)
