"""The stages of the DVC pipeline: thin scripts that read params, call kickpipe and write outputs."""
