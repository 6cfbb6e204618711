# Completion of midiopt: written by python -m docs.generate.
_midiopt_words() {  # complete one of these words, and no files
    compopt +o default +o bashdefault 2>/dev/null
    COMPREPLY=($(compgen -W "$1" -- "$cur"))
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
}

_midiopt() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= i
    [[ $cur == = ]] && cur=
    [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -* ]] && { command=${COMP_WORDS[i]}; break; }
    done
    case $command in
    '') _midiopt_words 'analyze show search similar export repair split status duplicates report browse compact verify datasette-metadata completion help --help --version' ;;
    analyze)
        case $prev in
        --column|--schema|--file-timeout|--max-file-bytes|--max-events|--batch-size|--writers|--sink-timeout) _midiopt_words ''; return ;;
        --workers) _midiopt_words 'auto'; return ;;
        --executor) _midiopt_words 'processes dask:local'; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '--follow-links --prune --prune=all --tracks --column --dry-run --watch --db --schema --log --json --jsonl -q --quiet --file-timeout --max-file-bytes --max-events --workers --executor --keep-old --batch-size --writers --sink-timeout -h --help'; return; }
        # files, which readline completes
        ;;
    show)
        [[ $cur == -* ]] && { _midiopt_words '--json --jsonl -h --help'; return; }
        # files, which readline completes
        ;;
    search)
        case $prev in
        --sort) _midiopt_words 'path -path title -title bpm -bpm key -key duration -duration notes -notes polyphony -polyphony swing -swing size -size added -added'; return ;;
        --limit|--schema) _midiopt_words ''; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '--sort --limit --db --schema --json --jsonl --csv --paths --paths0 --count -h --help'; return; }
        _midiopt_words 'key: bpm: meter: program: family: has:drums has:lyrics has:title has:chords has:key has:bpm has:swing has:pedal has:bends has:sysex role:drums role:bass role:chords role:melody role:full chords: duration: notes: polyphony: swing: loop:yes loop:no performance:yes performance:no confidence: status:ok status:repaired status:rejected status:unreadable status:crashed status:opened like: issue:leading_junk issue:header_length issue:unknown_format issue:format_0_tracks issue:chunk_overrun issue:event_cut issue:no_end_of_track issue:bytes_after_end issue:stray_data issue:data_over_127 issue:bad_status issue:long_varint issue:bad_meta issue:zero_tempo issue:missing_tracks issue:lost_track issue:sysex_length issue:text_mode issue:utf8_text issue:track_length issue:joined_tracks issue:early_end issue:undeclared_tracks issue:rmid_size issue:frame_rate issue:filled_block issue:rmid issue:alien_chunk issue:smpte issue:format_2 issue:no_notes issue:trailing_bytes issue:running_status_crossed issue:stuck_note issue:drums_by_name issue:joined_songs missing:yes missing:no'
        ;;
    similar)
        case $prev in
        --limit|--min-score|--schema) _midiopt_words ''; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '--limit --min-score --db --schema --json --jsonl -h --help'; return; }
        # files, which readline completes
        ;;
    export)
        case $prev in
        --sort) _midiopt_words 'path -path title -title bpm -bpm key -key duration -duration notes -notes polyphony -polyphony swing -swing size -size added -added'; return ;;
        --limit|--split|--name|--schema) _midiopt_words ''; return ;;
        --group) _midiopt_words 'near'; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '--sort --limit --split --group -o --output --copy --link --name -q --quiet --db --schema -h --help'; return; }
        _midiopt_words 'key: bpm: meter: program: family: has:drums has:lyrics has:title has:chords has:key has:bpm has:swing has:pedal has:bends has:sysex role:drums role:bass role:chords role:melody role:full chords: duration: notes: polyphony: swing: loop:yes loop:no performance:yes performance:no confidence: status:ok status:repaired status:rejected status:unreadable status:crashed status:opened like: issue:leading_junk issue:header_length issue:unknown_format issue:format_0_tracks issue:chunk_overrun issue:event_cut issue:no_end_of_track issue:bytes_after_end issue:stray_data issue:data_over_127 issue:bad_status issue:long_varint issue:bad_meta issue:zero_tempo issue:missing_tracks issue:lost_track issue:sysex_length issue:text_mode issue:utf8_text issue:track_length issue:joined_tracks issue:early_end issue:undeclared_tracks issue:rmid_size issue:frame_rate issue:filled_block issue:rmid issue:alien_chunk issue:smpte issue:format_2 issue:no_notes issue:trailing_bytes issue:running_status_crossed issue:stuck_note issue:drums_by_name issue:joined_songs missing:yes missing:no'
        ;;
    repair)
        case $prev in
        --schema) _midiopt_words ''; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '-o --output --force -q --quiet --db --schema --json --jsonl -h --help'; return; }
        # files, which readline completes
        ;;
    split)
        case $prev in
        --by) _midiopt_words 'track channel'; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '--by -o --output --force -q --quiet --json --jsonl -h --help'; return; }
        # files, which readline completes
        ;;
    status)
        case $prev in
        --schema) _midiopt_words ''; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '--db --schema --json --jsonl -h --help'; return; }
        # files, which readline completes
        ;;
    duplicates)
        case $prev in
        --schema) _midiopt_words ''; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '--db --schema --missing --near --json --jsonl -h --help'; return; }
        # files, which readline completes
        ;;
    report)
        case $prev in
        --schema) _midiopt_words ''; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '-o --output --db --schema -h --help'; return; }
        _midiopt_words 'key: bpm: meter: program: family: has:drums has:lyrics has:title has:chords has:key has:bpm has:swing has:pedal has:bends has:sysex role:drums role:bass role:chords role:melody role:full chords: duration: notes: polyphony: swing: loop:yes loop:no performance:yes performance:no confidence: status:ok status:repaired status:rejected status:unreadable status:crashed status:opened like: issue:leading_junk issue:header_length issue:unknown_format issue:format_0_tracks issue:chunk_overrun issue:event_cut issue:no_end_of_track issue:bytes_after_end issue:stray_data issue:data_over_127 issue:bad_status issue:long_varint issue:bad_meta issue:zero_tempo issue:missing_tracks issue:lost_track issue:sysex_length issue:text_mode issue:utf8_text issue:track_length issue:joined_tracks issue:early_end issue:undeclared_tracks issue:rmid_size issue:frame_rate issue:filled_block issue:rmid issue:alien_chunk issue:smpte issue:format_2 issue:no_notes issue:trailing_bytes issue:running_status_crossed issue:stuck_note issue:drums_by_name issue:joined_songs missing:yes missing:no'
        ;;
    browse)
        case $prev in
        --schema|--port) _midiopt_words ''; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '--db --schema --port --open -h --help'; return; }
        # files, which readline completes
        ;;
    compact)
        [[ $cur == -* ]] && { _midiopt_words '-q --quiet -h --help'; return; }
        # files, which readline completes
        ;;
    verify)
        case $prev in
        --schema|--sample) _midiopt_words ''; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '--db --schema --sample --all --json --jsonl -h --help'; return; }
        # files, which readline completes
        ;;
    datasette-metadata)
        case $prev in
        --schema) _midiopt_words ''; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '--db --schema -h --help'; return; }
        # files, which readline completes
        ;;
    completion)
        [[ $cur == -* ]] && { _midiopt_words '-h --help'; return; }
        _midiopt_words 'bash zsh fish'
        ;;
    help)
        [[ $cur == -* ]] && { _midiopt_words '-h --help'; return; }
        _midiopt_words 'analyze show search similar export repair split status duplicates report browse compact verify datasette-metadata completion help'
        ;;
    esac
}

complete -o bashdefault -o default -F _midiopt midiopt
