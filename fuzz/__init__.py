"""Coverage-guided fuzzing with libFuzzer: parser, analysis, texts, archives, row encoders, wire format, lists and names."""
