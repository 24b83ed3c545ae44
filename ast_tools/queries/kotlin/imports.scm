; Import statements.
(import) @import
