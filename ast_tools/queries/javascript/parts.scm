; What a destructured object takes: @part, @name (its key), @default.
(object_pattern (shorthand_property_identifier_pattern) @name @part)
(object_pattern (object_assignment_pattern left: (_) @name right: (_) @default) @part)
(object_pattern (pair_pattern key: [(property_identifier) (string)] @name) @part)
(object_pattern
  (pair_pattern key: [(property_identifier) (string)] @name value: (assignment_pattern right: (_) @default)) @part)
