# Completion of midiopt: written by python -m docs.generate.
function __midiopt_command
    set -l words (commandline -opc)
    test "$words[2]" = "$argv[1]"
end
complete -c midiopt -f
complete -c midiopt -n '__midiopt_command' -s h -l help -d 'show this help'
complete -c midiopt -n '__midiopt_command' -l version -d 'show the version'
complete -c midiopt -n '__midiopt_command' -a analyze -d 'analyse files into a database'
complete -c midiopt -n '__midiopt_command' -a show -d 'show the facts of files'
complete -c midiopt -n '__midiopt_command' -a status -d 'show what a database holds and how the last run ended'
complete -c midiopt -n '__midiopt_command' -a duplicates -d 'list files with identical bytes'
complete -c midiopt -n '__midiopt_command' -a verify -d 'analyse files again and report rows that differ'
complete -c midiopt -n '__midiopt_command' -a completion -d 'print the completion script of bash, zsh or fish'
complete -c midiopt -n '__midiopt_command' -a help -d 'show the help of a command'
complete -c midiopt -n '__midiopt_command analyze' -F
complete -c midiopt -n '__midiopt_command analyze' -l follow-links -d 'follow symbolic links in folders'
complete -c midiopt -n '__midiopt_command analyze' -l prune  -d 'delete the rows of files that have disappeared from the given folders and from archives'
complete -c midiopt -n '__midiopt_command analyze' -l db -r -F -d 'the database'
complete -c midiopt -n '__midiopt_command analyze' -l log -r -F -d 'append the events of the run and each file that is not ok to FILE, one JSON object per line'
complete -c midiopt -n '__midiopt_command analyze' -l json -d 'print one JSON object, for programs'
complete -c midiopt -n '__midiopt_command analyze' -l jsonl -d 'print JSON Lines'
complete -c midiopt -n '__midiopt_command analyze' -l quiet -d 'show neither progress nor the summary table'
complete -c midiopt -n '__midiopt_command analyze' -l file-timeout -r -d 'time per file after which it is given up as crashed'
complete -c midiopt -n '__midiopt_command analyze' -l max-file-bytes -r -d 'reject larger files'
complete -c midiopt -n '__midiopt_command analyze' -l max-events -r -d 'reject files with more events'
complete -c midiopt -n '__midiopt_command analyze' -l workers -r -f -a 'auto' -d 'number of worker processes'
complete -c midiopt -n '__midiopt_command analyze' -l keep-old -d 'keep the results of older analyser versions instead of updating them'
complete -c midiopt -n '__midiopt_command analyze' -l batch-size -r -d 'number of files per transaction'
complete -c midiopt -n '__midiopt_command analyze' -l writers -r -d 'number of batches that PostgreSQL commits at the same time, each over its own connection'
complete -c midiopt -n '__midiopt_command analyze' -l sink-timeout -r -d 'how long to wait for an unavailable or locked database before giving up'
complete -c midiopt -n '__midiopt_command analyze' -s h -l help -d 'show this help'
complete -c midiopt -n '__midiopt_command show' -F
complete -c midiopt -n '__midiopt_command show' -l json -d 'print one JSON object, for programs'
complete -c midiopt -n '__midiopt_command show' -l jsonl -d 'print JSON Lines'
complete -c midiopt -n '__midiopt_command show' -s h -l help -d 'show this help'
complete -c midiopt -n '__midiopt_command status' -F
complete -c midiopt -n '__midiopt_command status' -l db -r -F -d 'the same as an option'
complete -c midiopt -n '__midiopt_command status' -l json -d 'print one JSON object, for programs'
complete -c midiopt -n '__midiopt_command status' -l jsonl -d 'print JSON Lines'
complete -c midiopt -n '__midiopt_command status' -s h -l help -d 'show this help'
complete -c midiopt -n '__midiopt_command duplicates' -F
complete -c midiopt -n '__midiopt_command duplicates' -l db -r -F -d 'the same as an option'
complete -c midiopt -n '__midiopt_command duplicates' -l json -d 'print one JSON object, for programs'
complete -c midiopt -n '__midiopt_command duplicates' -l jsonl -d 'print JSON Lines'
complete -c midiopt -n '__midiopt_command duplicates' -s h -l help -d 'show this help'
complete -c midiopt -n '__midiopt_command verify' -F
complete -c midiopt -n '__midiopt_command verify' -l db -r -F -d 'the same as an option'
complete -c midiopt -n '__midiopt_command verify' -l sample -r -d 'number of randomly chosen files to check'
complete -c midiopt -n '__midiopt_command verify' -l all -d 'check all files'
complete -c midiopt -n '__midiopt_command verify' -l json -d 'print one JSON object, for programs'
complete -c midiopt -n '__midiopt_command verify' -l jsonl -d 'print JSON Lines'
complete -c midiopt -n '__midiopt_command verify' -s h -l help -d 'show this help'
complete -c midiopt -n '__midiopt_command completion' -f -a 'bash zsh fish'
complete -c midiopt -n '__midiopt_command completion' -s h -l help -d 'show this help'
complete -c midiopt -n '__midiopt_command help' -f -a 'analyze show status duplicates verify completion help'
complete -c midiopt -n '__midiopt_command help' -s h -l help -d 'show this help'
