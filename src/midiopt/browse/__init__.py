"""The pages of midiopt browse: search, look and listen in a web browser, on this computer only."""
