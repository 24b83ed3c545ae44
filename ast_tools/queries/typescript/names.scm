[(interface_body) (enum_body) (abstract_class_declaration) (interface_declaration) (type_alias_declaration)] @region
(class_declaration name: (_) @name.class)
(abstract_class_declaration name: (_) @name.class) @outside
(interface_declaration name: (_) @name.interface) @outside
(type_alias_declaration name: (_) @name.type) @outside
(enum_declaration name: (_) @name.enum)
(internal_module name: (_) @name.namespace)
(enum_body name: (property_identifier) @name.constant)
(enum_assignment name: (property_identifier) @name.constant)
(function_signature name: (_) @name.function)
(method_signature name: (_) @name.method)
(abstract_method_signature name: (_) @name.method)
(property_signature name: (_) @name.field)
(public_field_definition name: (_) @name.field)
(type_parameter name: (_) @name.type)
(required_parameter pattern: (identifier) @name.parameter)
(optional_parameter pattern: (identifier) @name.parameter)
(required_parameter pattern: (rest_pattern (identifier) @name.parameter))
