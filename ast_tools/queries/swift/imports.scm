; Import statements.
(import_declaration) @import
