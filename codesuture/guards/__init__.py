"""Guards: the rules that recognise a kind of crash and supply a value. Imports nothing itself."""
