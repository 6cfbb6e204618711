"""The bundled sample: a small Standard MIDI File writer, and about thirty pieces made with it."""
