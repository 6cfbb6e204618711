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
    '') _midiopt_words 'analyze show status duplicates browse verify datasette-metadata completion help --help --version' ;;
    analyze)
        case $prev in
        --schema|--file-timeout|--max-file-bytes|--max-events|--batch-size|--writers|--sink-timeout) _midiopt_words ''; return ;;
        --workers) _midiopt_words 'auto'; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '--follow-links --prune --prune=all --tracks --dry-run --db --schema --log --json --jsonl --quiet --file-timeout --max-file-bytes --max-events --workers --keep-old --batch-size --writers --sink-timeout -h --help'; return; }
        # files, which readline completes
        ;;
    show)
        [[ $cur == -* ]] && { _midiopt_words '--json --jsonl -h --help'; return; }
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
        [[ $cur == -* ]] && { _midiopt_words '--db --schema --missing --json --jsonl -h --help'; return; }
        # files, which readline completes
        ;;
    browse)
        case $prev in
        --schema|--port) _midiopt_words ''; return ;;
        esac
        [[ $cur == -* ]] && { _midiopt_words '--db --schema --port --open -h --help'; return; }
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
        _midiopt_words 'analyze show status duplicates browse verify datasette-metadata completion help'
        ;;
    esac
}

complete -o bashdefault -o default -F _midiopt midiopt
