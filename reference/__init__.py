"""The reference analyzer: every fact of a MIDI file in plain Python, written from the definitions.

It shares with the compiled kernel only the names in schema.py and the learnt weights, so that the two check each other,
and it is the specification of every column. Exact arithmetic comes before speed: a file takes about 0.1 s.

    analyzer        the row of a file, and the comparison of two rows
    tracks          bytes to tracks, with mido; chunks, structure and mending: what is damaged is written anew for it
    sequence        tempo map, notes, polyphony
    pairing         which event ends a note
    declarations    tempo, time signature and key as the file declares them
    notes           pitches, velocities, programs, the hash of the notes
    beat            tempo from onsets; quantization: how onsets lie on the declared quarters; meter: from either
    key             estimated key
    bar_grid        bars, half bars and beats; chords, drums and form are built on it
    beat_tracker    the beats of a performance, for midiopt.beats; performance: the tempo and the bars that they tell
    chords          a chord per beat; progression: the loop that they make
    text            charset detection of track names
    lyrics          lyrics in chunks XFKM
    filenames       tempo, key and meter in file names
"""
