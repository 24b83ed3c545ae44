; Import statements.
(using_directive) @import
