"""Evidence: what speaks for a verdict, measured, compared with expert references and tested."""
