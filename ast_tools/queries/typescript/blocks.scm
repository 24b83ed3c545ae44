(abstract_class_declaration body: (_) @body) @block.class
(interface_declaration body: (_) @body) @block.class
(enum_declaration body: (_) @body) @block.class
(internal_module body: (_) @body) @block.namespace
(object_type) @body @block.list
