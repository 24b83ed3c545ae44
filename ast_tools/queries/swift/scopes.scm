; Scopes around a place: @scope.KIND, @name, @body.
(class_declaration declaration_kind: ["class" "struct" "actor" "extension"] name: (_) @name body: (_) @body) @scope.class
(class_declaration declaration_kind: "enum" name: (_) @name body: (_) @body) @scope.enum
(protocol_declaration name: (_) @name body: (_) @body) @scope.interface
; A wildcard stands for function_declaration: naming it costs the compiler of queries 0.3 s for each pattern.
(_ name: (simple_identifier) @name body: (function_body) @body) @scope.function
(init_declaration name: "init" @name body: (_) @body) @scope.method
(deinit_declaration "deinit" @name body: (_) @body) @scope.method
