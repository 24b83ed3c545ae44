; What only untyped JavaScript has.
(class_heritage (identifier) @reference.type)
