; What a file takes in.
(preproc_include) @import
