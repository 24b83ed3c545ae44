; Scopes around a place: @scope.KIND, @name, @body.
(function_item name: (_) @name body: (_) @body) @scope.function
(struct_item name: (_) @name body: (field_declaration_list) @body) @scope.class
(union_item name: (_) @name body: (_) @body) @scope.class
(enum_item name: (_) @name body: (_) @body) @scope.enum
(trait_item name: (_) @name body: (_) @body) @scope.interface
(impl_item type: [(type_identifier) @name (generic_type type: (_) @name) (scoped_type_identifier name: (_) @name)]
  body: (_) @body) @scope.class
(mod_item name: (_) @name body: (_) @body) @scope.namespace
(macro_definition name: (_) @name) @scope.macro
